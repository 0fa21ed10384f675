"""`evalcli leaderboard validate`: what is wrong with leaderboards, and where."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import click
import jsonschema_rs

from evalcli.commands.arguments import PROMPT_LIBRARY, SELECTOR
from evalcli.exits import Exit
from evalcli.leaderboards.files import leaderboards_named, read_bytes
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_line, say
from evalcli.terminal.text import shown
from evalcore.errors import LeaderboardError
from evalcore.formats.counts import counted
from evalcore.runs.leaderboard import leaderboard_schema, parse_leaderboard

MAX_PROBLEMS = 20


@click.command(name="validate")
@click.argument(
    "sources",
    metavar="[SKILL|FILE]...",
    nargs=-1,
    type=SELECTOR,
    shell_complete=completed_by("components"),
)
@PROMPT_LIBRARY
def command(sources: tuple[str, ...], prompt_library: Path) -> int:
    """Say what is wrong with leaderboards, and where; exit code 2 if anything is.

    Without SKILL or FILE: every leaderboard of the prompt library.
    """
    validator = jsonschema_rs.validator_for(leaderboard_schema())
    paths = [path for source in sources or [None] for path in leaderboards_named(source, prompt_library)]
    is_valid = [_validate_one(path, validator) for path in paths]
    return Exit.DONE if all(is_valid) else Exit.UNUSABLE


def _validate_one(path: Path, validator: jsonschema_rs.Validator) -> bool:
    try:
        data = read_bytes(path)
        leaderboard = parse_leaderboard(data, str(path))
    except LeaderboardError as error:
        say(error.line)
        return False
    try:
        # The file as written, not as parsed, so that positions are those its reader counts.
        problems = list(islice(validator.iter_errors(json.loads(data)), MAX_PROBLEMS))
    except UnicodeEncodeError:  # legal in JSON as an escape, but no schema can be held against it
        say(f"{path}: a text holds half of a surrogate pair; mend it by hand")
        return False
    for problem in problems:
        where = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem.instance_path
        )
        say(f"{path}: {where.removeprefix('.')}: {shown(problem.message)}; mend it by hand")
    if not problems:
        print_line(f"{path}: valid, {counted(len(leaderboard.runs), 'run')} of {leaderboard.component}")
    return not problems
