"""Run folders, found by what people know of them: a path, the beginning of an id, or SKILL@VERSION/MODEL."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from evalcli.leaderboards.places import RUNS_IN_LIBRARY, SCRATCH, require_library
from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError
from evalcore.formats.counts import first_few
from evalcore.near_names import did_you_mean
from evalcore.runs.files import read_regular
from evalcore.runs.folder import MAX_PLAN, PLAN
from evalcore.structs import Frozen

MOST_NAMED: Final = 5
SHORTEST_ID: Final = 4
"""Characters of an id's beginning."""
# Hexadecimal digits and dashes, as ids are written: a component's name may be made of them too, and is tried
# next.
_ID: Final = re.compile(r"[0-9a-f-]+")
_SELECTOR: Final = re.compile(r"(?P<slug>[^@/]+)(@(?P<version>[^/]+))?(/(?P<model>.+))?")


class _ComponentHead(Frozen, frozen=True):
    slug: str
    version: str


class _ModelHead(Frozen, frozen=True):
    id: str


class RunHead(Frozen, frozen=True):
    """What names a run, read from its plan."""

    run_id: str
    component: _ComponentHead
    model: _ModelHead

    @property
    def selector(self) -> str:
        """The run's component, version and model, as they are written on a command line."""
        return f"{self.component.slug}@{self.component.version}/{self.model.id}"


def find_run(selector: str, runs_dir: Path) -> Path:
    """Return the folder of the run that is meant; of several by one name the newest.

    Raises ConfigurationError where there is none, or the beginning of an id is that of several.
    """
    path = Path(selector)
    folder = path if path.is_dir() else path.parent  # a file in it is as good
    # A path first: a shell completes one, and a folder may be called as an id begins.
    if path.exists() and (folder / PLAN).is_file():
        return folder
    found = _by_id(selector, runs_dir) or _newest(selector, runs_dir)
    if found is not None:
        return found
    if path.exists():
        what, hint = "it holds no run.json, so it is no run's folder", "name a run's folder"
        raise ConfigurationError(what, where=selector, hint=hint)
    heads = [head for _, head in run_heads(runs_dir)]
    is_file = path.is_absolute() or path.suffix == ".json"
    if not heads and not is_file and runs_dir.parts[-2:] == RUNS_IN_LIBRARY.parts:
        require_library(runs_dir.parent.parent)
    raise ConfigurationError(f"no run is {selector!r:.110}", where=str(runs_dir), hint=_hint(selector, heads))


def other_models(selector: str, run_dir: Path, runs_dir: Path) -> str | None:
    """Say of which other models a version has runs, where no model was named; None where there is none.

    `run_dir` is the run that was found by `selector`: the newest one, of whatever model.
    """
    parts = split_selector(selector)
    if parts is None or parts[2] is not None or Path(selector).exists():
        return None
    heads = dict(run_heads(runs_dir))
    own = heads.get(run_dir)
    # The beginning of an id is written as a component is.
    if own is None or own.component.slug != parts[0]:
        return None
    others = {head.selector for head in heads.values() if head.component == own.component}
    others.discard(own.selector)
    if not others:
        return None
    named = first_few(sorted(others), MOST_NAMED)
    return f"{selector} stands for its newest run, of {own.model.id}; others: {named}"


def is_scratch(selector: str) -> bool:
    """Whether a path is the folder of the runs that count nowhere, beside those that do."""
    path = Path(selector)
    return path.name == SCRATCH and path.is_dir() and not (path / PLAN).exists()


def is_id_beginning(text: str) -> bool:
    """Whether a text may be a run's id, or the beginning of one."""
    return len(text) >= SHORTEST_ID and _ID.fullmatch(text.lower()) is not None


def split_selector(text: str) -> tuple[str, str | None, str | None] | None:
    """Return component, version and model of SKILL@VERSION/MODEL; None where it is not written so."""
    found = _SELECTOR.fullmatch(text)
    return None if found is None else (found["slug"], found["version"], found["model"])


def refuse_several(text: str, run_ids: Sequence[str], where: str) -> NoReturn:
    """Refuse the beginning of an id that is that of several runs; raises ConfigurationError."""
    named = ", ".join(sorted(run_ids, reverse=True)[:MOST_NAMED])  # the newest are looked for most
    raise ConfigurationError(
        f"{len(run_ids)} runs begin with {text}", where=where, hint=f"write more of: {named}"
    )


def _by_id(text: str, runs_dir: Path) -> Path | None:
    if not is_id_beginning(text):
        return None
    wanted = f"{text.lower()}*/{PLAN}"
    found = sorted(plan.parent for plan in (*runs_dir.glob(wanted), *(runs_dir / SCRATCH).glob(wanted)))
    if len(found) > 1:
        refuse_several(text, [one.name for one in found], str(runs_dir))
    return found[0] if found else None


def beginning_that_names(runs_dir: Path) -> int:
    """Return how many characters of an id name each run alone, among those that `find_run` looks through."""
    plans = [*runs_dir.glob(f"*/{PLAN}"), *(runs_dir / SCRATCH).glob(f"*/{PLAN}")]
    ids = sorted(plan.parent.name for plan in plans)
    # In alphabetical order the id that shares most with another one stands beside it.
    return max([SHORTEST_ID, *(1 + _shared(one, other) for one, other in itertools.pairwise(ids))])


def short_name(run_dir: Path) -> str:
    """Return what a command in this folder finds a run by: the beginning of its id, or else its path."""
    runs_dir = run_dir.parent.parent if run_dir.parent.name == SCRATCH else run_dir.parent
    # Anywhere else --prompt-library or --runs-dir would have to be given again, which a path needs not.
    if runs_dir != RUNS_IN_LIBRARY:
        return str(run_dir)
    return run_dir.name[: beginning_that_names(runs_dir)]


def _shared(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def run_heads(runs_dir: Path) -> list[tuple[Path, RunHead]]:
    """Return the folders of all runs that can be read, the newest first."""
    found = []
    for plan in runs_dir.glob(f"*/{PLAN}"):
        try:
            # Run folders are handed around as artifacts: no pipe's writer is waited for, and no file without
            # end read.
            found.append((plan.parent, decode_json(read_regular(plan, MAX_PLAN), RunHead)))
        except (OSError, *UNREADABLE):
            continue  # no run, or one that another version wrote
    # A UUIDv7 begins with its time.
    return sorted(found, key=lambda item: item[1].run_id, reverse=True)


def _newest(selector: str, runs_dir: Path) -> Path | None:
    wanted = split_selector(selector)
    if wanted is None:
        return None
    slug, version, model = wanted
    for path, head in run_heads(runs_dir):
        named = head.component.slug == slug
        if named and version in {None, head.component.version} and model in {None, head.model.id}:
            return path
    return None


def _hint(selector: str, heads: Sequence[RunHead]) -> str:
    if not heads:
        return "replies are kept where a run was made: name its folder, or where runs are with --runs-dir"
    slugs = {head.component.slug for head in heads}
    # A component's name that is misspelt means no run of some model.
    if "@" not in selector and "/" not in selector and (near := did_you_mean(selector, slugs)):
        return near
    names = list(dict.fromkeys(head.selector for head in heads))
    return did_you_mean(selector, names) or f"there are {first_few(names, MOST_NAMED)}"
