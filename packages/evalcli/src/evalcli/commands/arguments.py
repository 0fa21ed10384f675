"""Arguments that many commands take, read as people write them: a component, and its prompt library."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from evalcli.terminal.completion import completed_by

Command = TypeVar("Command", bound=Callable[..., Any])

MAX_REPLICATES: Final = 100
"""As the service's API has it."""
_IN_COMPONENTS: Final = re.compile(r"(?:.*/)?components/([^/@]+@[^/]+/.+|[^/]+(?=/*$))/*")
"""A component by its folder, which a shell completes, or one of its runs by version and model."""


def skill_of(text: str) -> str:
    """Return the component, or the run of one, that is meant by its folder; any other text as it is.

    `.` is the component whose folder one is in.
    """
    if text.rstrip("/") == "." and Path.cwd().parent.name == "components":
        return Path.cwd().name
    # `components/leaderboard.json` is a file, and not a component of that name.
    in_components = _IN_COMPONENTS.fullmatch(text)
    return in_components[1] if in_components and not in_components[1].endswith(".json") else text


class SkillName(click.ParamType[str]):
    """The name of a component, or its folder."""

    name = "skill"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; `.` is the component whose folder one is in."""
        del param, ctx
        return skill_of(value.rstrip("/") or value)


class Selector(click.ParamType[str]):
    """What may be a component, a file or a folder: `components/S/` is the component."""

    name = "selector"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the component's name, or the text as it is."""
        del param, ctx
        return skill_of(value)


def library_around(folder: Path) -> Path:
    """Return the prompt library that a folder is inside of; the folder itself where it is in none."""
    real = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as they are written
    for parent in (real, *real.parents):
        if (parent / "components").is_dir():
            return folder if parent == real else Path(os.path.relpath(parent))
    return folder


class LibraryFolder(click.Path):
    """A prompt library, or a folder inside one."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the library that a folder is inside of; the folder itself where it is in none."""
        return library_around(Path(os.fsdecode(super().convert(value, param, ctx))))


SKILL: Final = SkillName()
SELECTOR: Final = Selector()
LIBRARY: Final = LibraryFolder()
SKILL_ARGUMENT: Final = click.argument(
    "skill", metavar="SKILL", type=SKILL, shell_complete=completed_by("components")
)
FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)


def prompt_library_option(help_text: str) -> Callable[[Command], Command]:
    """Return the option that names the prompt library, for a command that says what it is there for."""
    return click.option(
        "--prompt-library",
        type=LIBRARY,
        default=Path(),
        show_default="the working directory",
        help=help_text,
    )


def _data_sets_option(help_text: str) -> Callable[[Command], Command]:
    """Return the option that names the data sets, for a command that says what they are there for."""
    return click.option(
        "--data-sets",
        type=FOLDER,
        show_default="../evaluation-data-sets, beside the library, where it exists",
        help=help_text,
    )


PROMPT_LIBRARY: Final = prompt_library_option("The prompt library.")
DATA_SETS: Final = _data_sets_option("The evaluation data sets.")
DATA_SETS_FOR_POLICY: Final = _data_sets_option("The evaluation data sets, for --policy.")
DATA_SETS_WITH_POLICY: Final = _data_sets_option(
    "The evaluation data sets; a policy of theirs wins over the component's."
)
RUNS_DIR: Final = click.option(
    "--runs-dir",
    type=FOLDER,
    show_default=".evaluator/runs in the library",
    help="Where runs are looked for.",
)
REPO: Final = click.option(
    "--repo",
    metavar="OWNER/NAME",
    required=True,
    envvar="GITHUB_REPOSITORY",
    show_default="GITHUB_REPOSITORY",
    help="The prompt library on GitHub.",
)
REPLICATES: Final = click.option(
    "--replicates",
    type=click.IntRange(1, MAX_REPLICATES),
    default=10,
    show_default=True,
    help="Independent calls for each case.",
)
