"""Leaderboards united: as a command, for a conflict that git left, and as git's merge driver."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

import click

from evalcli.commands.arguments import PROMPT_LIBRARY, SELECTOR
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.leaderboards.conflicts import (
    CONFIG_LINE,
    install_attributes,
    merge_for_git,
    resolve_conflict,
)
from evalcli.leaderboards.files import (
    leaderboard_files,
    leaderboard_path,
    named_leaderboard,
    read_leaderboard,
)
from evalcli.leaderboards.places import why_no_library_yet
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, print_line, print_verbatim, say, warn
from evalcore.errors import ConfigurationError
from evalcore.formats.counts import counted
from evalcore.library.checkout import is_in_git
from evalcore.runs.files import turn_at, write_atomically
from evalcore.runs.leaderboard import encode_leaderboard, merge_leaderboards

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("files", metavar="FILE FILE...", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, help="Where to write; default: standard output.")
def merge(files: tuple[Path, ...], out: Path | None) -> int:
    """Unite leaderboards of one component, by run id.

    The order of the files never matters, and merging twice changes nothing.
    """
    for file in files:
        if not file.exists() and leaderboard_path(Path(), str(file)).exists():
            hint = f"`{PROGRAM} leaderboard resolve {file}` unites the sides of a conflict"
            refuse(f"`{file}` is a component, and files are merged", hint=hint)
    if out is None:
        print_bytes(_merged(files))
        return Exit.DONE
    with turn_at(out.parent):  # OUT may be one of FILES, and an evaluation about to add to it
        data = _merged(files)
        if out.exists():
            read_leaderboard(out)  # what is not valid is never overwritten
        write_atomically(out, data)
    return Exit.DONE


@click.command()
@click.argument(
    "source",
    metavar="[SKILL|FILE]",
    required=False,
    type=SELECTOR,
    shell_complete=completed_by("components"),
)
@PROMPT_LIBRARY
def resolve(source: str | None, prompt_library: Path) -> int:
    """Resolve the leaderboards that a merge, rebase or cherry-pick left in conflict, or the one named.

    Both sides are united by run id, and the file is added to git's index; go on with `git merge
    --continue`, or as git said.
    """
    paths = (
        leaderboard_files(prompt_library) if source is None else [named_leaderboard(source, prompt_library)]
    )
    resolved = [_resolve(path, is_named=source is not None) for path in paths]
    if not any(resolved):
        print_line("no leaderboard is in conflict")
    return Exit.DONE


def _resolve(path: Path, *, is_named: bool) -> bool:
    """Resolve a leaderboard, and return whether anything was said of it."""
    resolved = resolve_conflict(path)
    if resolved is None and not is_named:
        return False
    if resolved is None:
        found = read_leaderboard(path)
        print_line(f"{path}: it is in no conflict, {counted(len(found.runs), 'run')} of {found.component}")
    else:
        print_line(f"{path}: resolved, {counted(len(resolved.runs), 'run')} of {resolved.component}")
    return True


@click.command(name="merge-driver")
@click.argument("versions", metavar="[BASE OURS THEIRS PATH]", nargs=-1, type=FILE)
@click.option("--install", "is_installed", is_flag=True, help="Name the driver in .gitattributes.")
@PROMPT_LIBRARY
def merge_driver(versions: tuple[Path, ...], prompt_library: Path, *, is_installed: bool) -> int:
    """Merge leaderboards for git, so that none is ever in conflict.

    git calls it with %O %A %B %P. --install writes the line of .gitattributes, which is to be committed,
    and prints the one command that each clone needs besides, since git runs nothing that a commit names.
    """
    if is_installed:
        _require_repository(prompt_library)
        is_new = install_attributes(prompt_library)
        say(f".gitattributes names the merge driver{'' if is_new else ' already'}; in each clone, run:")
        print_verbatim(CONFIG_LINE)
        return Exit.DONE
    if len(versions) != len(("base", "ours", "theirs", "path")):
        refuse("a merge driver is called with BASE OURS THEIRS PATH", hint="--install sets it up for git")
    # The common ancestor is not looked at: a union by run id loses no run of either side.
    _, ours, theirs, path = versions
    merge_for_git(ours, theirs, str(path))
    return Exit.DONE


def _require_repository(folder: Path) -> None:
    """Refuse a folder in which git would never read the line; warn of one that is no library yet."""
    if not is_in_git(folder):
        raise ConfigurationError(
            "is in no git repository", where=str(folder), hint="name the clone with --prompt-library"
        )
    if why := why_no_library_yet(folder):
        warn(why)


def _merged(files: tuple[Path, ...]) -> bytes:
    return encode_leaderboard(reduce(merge_leaderboards, [read_leaderboard(path) for path in files]))
