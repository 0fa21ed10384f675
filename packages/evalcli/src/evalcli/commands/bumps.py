"""`evalcli bumps`: which components' MAJOR or MINOR version rose between two commits."""

from __future__ import annotations

import os
from pathlib import Path

import click

from evalcli.commands.arguments import LIBRARY
from evalcli.exits import Exit, refuse
from evalcli.terminal.output import note, print_bytes, say
from evalcli.terminal.tables import print_table
from evalcli.terminal.text import Table
from evalcli.workflows.bumps import bumps_in_checkout, sides_of
from evalcore.compare.bumps import Bump
from evalcore.formats.strict_json import encode_canonical
from evalcore.structs import JsonValue


@click.command(name="bumps")
@click.option(
    "--base",
    metavar="REV",
    show_default="where --head left the default branch",
    help="The earlier commit; 40 zeros for nothing at all.",
)
@click.option("--head", metavar="REV", show_default="the working tree", help="The later commit.")
@click.option(
    "--prompt-library",
    type=LIBRARY,
    show_default="the working directory",
    help="A checkout of the prompt library that holds both commits.",
)
@click.option("--repo", metavar="OWNER/NAME", help="Ask GitHub instead, without a clone (GITHUB_TOKEN).")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def command(
    base: str | None, head: str | None, prompt_library: Path | None, repo: str | None, *, as_json: bool
) -> int:
    """Compare the versions of all components between two commits.

    Each component is listed whose version differs, or cannot be read at --head. `evaluate` is true where
    it is new, or its MAJOR or MINOR number rose. With neither commit named, what is in the working tree is
    compared with where it left the default branch; one line says so.
    """
    if repo is not None and prompt_library is not None:
        refuse("--prompt-library and --repo are two places", hint="name one")
    if repo is not None:
        if base is None or head is None:
            refuse("--repo needs --base and --head: it has no working tree", hint="name both commits")
        # GitHub's client takes most of a second to load, and reading a checkout asks nothing of GitHub.
        from evalcli.workflows.bumps_on_github import bumps_on_github  # noqa: PLC0415
        from evalcli.workflows.environment import github_access  # noqa: PLC0415

        found = bumps_on_github(github_access(os.environ, repo), base, head)
    else:
        library = prompt_library or Path()
        sides = sides_of(library, base, head)
        if base is None or head is None:
            note(sides.meaning)
        found = bumps_in_checkout(library, sides.base, sides.head)
    if as_json:
        print_bytes(encode_canonical([_object(bump) for bump in found]))
    elif found:
        print_table(_table(found))
    else:
        say("no version differs")
    return Exit.DONE


def _object(bump: Bump) -> JsonValue:
    return {
        "component": bump.component,
        "base_version": bump.base_version,
        "head_version": bump.head_version,
        "change": bump.change,
        "evaluate": bump.evaluate,
    }


def _table(found: list[Bump]) -> Table:
    rows = (
        (
            bump.component,
            bump.base_version or "-",
            bump.head_version or "-",
            bump.change,
            "yes" if bump.evaluate else "no",
        )
        for bump in found
    )
    return Table(headings=("component", "base", "head", "change", "evaluate"), rows=tuple(rows))
