"""What scoring versions 1 and 2 wrote (tests/data/scoring-*) is still read, shown and rescored.

They were written by the programs of those versions, on the sample library, and stay as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evalcore.runs.leaderboard import known_records, parse_leaderboard
from evalcore.version import SCORING_VERSION
from evalsim.library import write_sample_library

SLUG = "expense-memo"
EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]


@pytest.fixture(params=[1, 2], ids="scoring version {}".format)
def old(request: pytest.FixtureRequest, tmp_path: Path, project_root: Path) -> tuple[Path, int]:
    """A prompt library with a leaderboard and runs of an older version; and which."""
    library = tmp_path / "library"
    write_sample_library(library)
    data = project_root / "tests" / "data" / f"scoring-{request.param}"
    shutil.copy(data / "leaderboard.json", library / "components" / SLUG)
    shutil.copytree(data / "runs", library / ".evaluator" / "runs")
    return library, request.param


def evalcli(library: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*EVALCLI, *arguments], cwd=library, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def versions(library: Path) -> list[int]:
    text = (library / "components" / SLUG / "leaderboard.json").read_bytes()
    return sorted(record.scoring_version for record in known_records(parse_leaderboard(text, "test")))


def test_it_is_read_and_shown_with_its_own_figures(old: tuple[Path, int]) -> None:
    library, version = old
    assert versions(library) == [version] * 2
    assert "valid, 2 runs" in evalcli(library, "leaderboard", "validate", SLUG)
    told = evalcli(library, "leaderboard", "show", SLUG)
    assert f"scoring {version}" in told
    assert "Scored by older rules" in told
    run = min((library / ".evaluator" / "runs").iterdir())
    assert f"{SLUG} 1.0.0, " in evalcli(library, "show", str(run))


def test_it_is_rescored_from_its_replies_and_nothing_old_is_replaced(old: tuple[Path, int]) -> None:
    library, version = old
    runs = sorted((library / ".evaluator" / "runs").iterdir())
    before = [(run / "record.json").read_bytes() for run in runs]
    assert f"version {SCORING_VERSION} instead of {version}" in evalcli(library, "rescore", *map(str, runs))
    assert [(run / "record.json").read_bytes() for run in runs] == before
    evalcli(library, "leaderboard", "rescore", SLUG)
    assert versions(library) == [version, version, SCORING_VERSION, SCORING_VERSION]
    assert f"scoring {SCORING_VERSION}" in evalcli(library, "leaderboard", "show", SLUG)
