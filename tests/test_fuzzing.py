"""What reads other people's text, fuzzed for a moment: the long run is `make fuzz`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"


@pytest.mark.parametrize("target", ["reply", "models", "policy", "leaderboard"])
def test_nothing_that_others_write_crashes_or_hangs_its_reader(target: str) -> None:
    command = [sys.executable, FUZZ, target, "--minutes", "0.001", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["executions"] > 0
