"""Runs that a command line names, found; where a name stands for more than one, that is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalcli.leaderboards.run_folders import find_run, is_scratch, other_models
from evalcli.terminal.output import note


def found_runs(names: Sequence[str], runs_dir: Path) -> list[Path]:
    """Return the folders of the runs that are named; raises ConfigurationError as `find_run`."""
    # `.evaluator/runs/*` is the runs; the folder of those that count nowhere is among what it names.
    named = [name for name in names if len(names) == 1 or not is_scratch(name)]
    found = [find_run(name, runs_dir) for name in named]
    for name, folder in zip(named, found, strict=True):
        others = other_models(name, folder, runs_dir)
        if others is not None:
            note(others)
    return found
