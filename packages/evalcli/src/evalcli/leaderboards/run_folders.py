"""Run folders, found by what people know of them: a path, the beginning of an id, or SKILL@VERSION/MODEL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from evalcore.errors import ConfigurationError
from evalcore.runs.folder import PLAN
from evalcore.structs import Frozen

MOST_NAMED: Final = 5
SHORTEST_ID: Final = 4
"""Characters of an id's beginning."""
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
    if path.exists() and (folder / PLAN).is_file():
        return folder
    if len(selector) >= SHORTEST_ID and _ID.fullmatch(selector.lower()):
        by_id = sorted(found.parent for found in runs_dir.glob(f"{selector.lower()}*/{PLAN}"))
        if len(by_id) > 1:
            named = ", ".join(one.name for one in by_id[:MOST_NAMED])
            raise ConfigurationError(
                f"{len(by_id)} runs begin with {selector}",
                where=str(runs_dir),
                hint=f"write more of: {named}",
            )
        if by_id:
            return by_id[0]
    return _newest(selector, runs_dir)


def run_heads(runs_dir: Path) -> list[tuple[Path, RunHead]]:
    """Return the folders of all runs that can be read, the newest first."""
    found = []
    for plan in runs_dir.glob(f"*/{PLAN}"):
        try:
            found.append((plan.parent, msgspec.json.decode(plan.read_bytes(), type=RunHead)))
        except (OSError, msgspec.DecodeError):
            continue  # no run, or one that another version wrote
    # A UUIDv7 begins with its time.
    return sorted(found, key=lambda item: item[1].run_id, reverse=True)


def _newest(selector: str, runs_dir: Path) -> Path:
    heads = run_heads(runs_dir)
    wanted = _SELECTOR.fullmatch(selector)
    if wanted is not None:
        for path, head in heads:
            if (
                head.component.slug == wanted["slug"]
                and wanted["version"] in {None, head.component.version}
                and wanted["model"] in {None, head.model.id}
            ):
                return path
    raise ConfigurationError(f"no run is {selector!r:.110}", where=str(runs_dir), hint=_hint(heads))


def _hint(heads: Sequence[tuple[Path, RunHead]]) -> str:
    if not heads:
        return "name a run's folder, or where runs are with --runs-dir"
    names = list(dict.fromkeys(head.selector for _, head in heads))
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"there are {', '.join(names[:MOST_NAMED])}{more}"
