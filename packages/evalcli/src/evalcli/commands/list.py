"""`evalcli list`: the components of a prompt library."""

from __future__ import annotations

from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY
from evalcli.evaluation.overview import overview
from evalcli.exits import Exit
from evalcli.reports.lists import components_object, components_table
from evalcli.terminal.output import print_bytes
from evalcli.terminal.tables import print_table
from evalcore.formats.strict_json import encode_canonical


@click.command(name="list")
@PROMPT_LIBRARY
@DATA_SETS
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def command(prompt_library: Path, data_sets: Path | None, *, as_json: bool) -> int:
    """List the components: version, usable cases, the version evaluated last, and on how many models.

    What is wrong with a component, `evalcli check` says.
    """
    components = overview(prompt_library, data_sets)
    if as_json:
        print_bytes(encode_canonical(components_object(components)))
    else:
        print_table(components_table(components))
    return Exit.DONE
