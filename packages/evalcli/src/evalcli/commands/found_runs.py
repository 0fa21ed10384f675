"""Runs that a command line names, found; where a name stands for more than one, that is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalcli.leaderboards.run_folders import find_run, is_scratch, other_models
from evalcli.terminal.output import note


def without_scratch(names: Sequence[str]) -> list[str]:
    """Leave out the folder of the runs that count nowhere, which `.evaluator/runs/*` names as well."""
    return [name for name in names if len(names) == 1 or not is_scratch(name)]


def found_runs(names: Sequence[str], runs_dir: Path) -> list[Path]:
    """Return the folders of the runs that are named; raises ConfigurationError as `find_run`."""
    named = without_scratch(names)
    found = [find_run(name, runs_dir) for name in named]
    for name, folder in zip(named, found, strict=True):
        others = other_models(name, folder, runs_dir)
        if others is not None:
            note(others)
    return found
