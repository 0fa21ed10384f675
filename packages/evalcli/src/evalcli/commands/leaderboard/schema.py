"""`evalcli leaderboard schema`: the JSON Schema of leaderboard.json."""

from __future__ import annotations

import click

from evalcli.exits import Exit
from evalcli.terminal.output import print_bytes
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.leaderboard import leaderboard_schema


@click.command(name="schema")
def command() -> int:
    """Print the JSON Schema of leaderboard.json."""
    print_bytes(encode_canonical(leaderboard_schema()))
    return Exit.DONE
