"""The kept runs of a component: which of them publishing means by its name, and which it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

from evalcli.exits import PROGRAM
from evalcli.leaderboards.records import records_in
from evalcli.leaderboards.run_folders import find_run, run_heads, split_selector
from evalcore.errors import StorageError
from evalcore.formats.counts import counted, first_few
from evalcore.formats.versions import version_order
from evalcore.structs import Frozen

State = Literal["complete", "partial", "unfinished", "of no commit"]
MOST_NAMED: Final = 3
"""Runs that are named of those that are left."""


class KeptRun(Frozen, frozen=True):
    """A run whose folder is kept."""

    folder: Path
    run_id: str
    version: str
    state: State


def kept_runs(runs_dir: Path, slug: str) -> list[KeptRun]:
    """Return the kept runs of a component, the newest first."""
    heads = [(folder, head) for folder, head in run_heads(runs_dir) if head.component.slug == slug]
    return [KeptRun(folder, head.run_id, head.component.version, _state(folder)) for folder, head in heads]


def named_folders(name: str, runs_dir: Path) -> list[Path]:
    """Return the folders that are meant: of SKILL or SKILL@VERSION all complete runs, else the one run.

    Without a version it is the newest one that has a complete run. Raises ConfigurationError where there is
    no such run.
    """
    parts = split_selector(name)
    if parts is None or parts[2] is not None or Path(name).exists():
        return [find_run(name, runs_dir)]
    slug, version, _ = parts
    complete = [run for run in kept_runs(runs_dir, slug) if run.state == "complete"]
    wanted = version or max((run.version for run in complete), key=version_order, default=None)
    # Without a complete one it is the newest run, and an id's beginning may be written as a component is.
    return [run.folder for run in complete if run.version == wanted] or [find_run(name, runs_dir)]


def left_sentence(slug: str, runs: Iterable[KeptRun], published: AbstractSet[str]) -> str | None:
    """Say which kept runs of a component are not published, and how they would be; None for none."""
    left = sorted(
        (run for run in runs if run.run_id not in published),
        key=lambda run: (run.state, version_order(run.version)),
    )
    said = [
        text
        for state, of in groupby(left, key=lambda run: run.state)
        for text in _of_state(slug, state, list(of))
    ]
    return f"not published: {'; '.join(said)}" if said else None


def _of_state(slug: str, state: State, runs: list[KeptRun]) -> Iterator[str]:
    if state == "complete":
        for version, of in groupby(runs, key=lambda run: run.version):
            many = counted(len(list(of)), "complete run")
            yield f"{many} of {slug} {version} (`{PROGRAM} publish {slug}@{version}`)"
        return
    named = first_few([run.run_id for run in runs], MOST_NAMED)
    if state == "of no commit":
        yield f"{counted(len(runs), 'run')} of no commit ({named}): nobody could tell what was evaluated"
    elif state == "unfinished":
        yield f"{counted(len(runs), 'unfinished run')} ({named})"
    else:
        yield f"{counted(len(runs), 'partial run')} (by its id, to have it shown and not ranked: {named})"


def _state(folder: Path) -> State:
    try:
        record = records_in(folder)[0]
    except StorageError:
        return "unfinished"
    if record.prompt_commit is None:
        return "of no commit"
    return "complete" if record.status == "complete" else "partial"
