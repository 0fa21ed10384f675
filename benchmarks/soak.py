"""Back-to-back jobs on the real service: memory and open files must stay flat (`make soak`).

Exit code 1 where they do not: the median of the last quarter of the jobs is compared with that of the
second quarter, since the first one still loads modules and fills caches. Results are thrown away, since a
growing leaderboard needs growing memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from evalsim.chaos.run import ChaosRun, chaos

MOST_GROWTH_MB = 8.0
MOST_NEW_FILES = 3


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="evaluator-soak-") as folder, chaos(Path(folder)) as story:
        measured = _soak(story, options.minutes * 60)
    quarter = max(1, len(measured) // 4)
    early, late = measured[quarter : 2 * quarter] or measured, measured[-quarter:]
    memory, files = (_median(late, at) - _median(early, at) for at in (0, 1))
    failed = {kind: found for kind, found in story.problems.items() if found}
    report = {
        "jobs": len(measured),
        "memory_mb": {"early": round(_median(early, 0), 1), "late": round(_median(late, 0), 1)},
        "open_files": {"early": _median(early, 1), "late": _median(late, 1)},
        "problems": failed,
    }
    print(json.dumps(report, indent=2))
    sys.exit(1 if failed or memory > MOST_GROWTH_MB or files > MOST_NEW_FILES else 0)


def _soak(story: ChaosRun, seconds: float) -> list[tuple[float, float]]:
    story.keeps_results = False
    story.start(None)
    end = time.monotonic() + seconds
    measured = []
    while time.monotonic() < end and not any(story.problems.values()):
        story.evaluate([])
        measured.append(_measure(story.pid))
    return measured


def _measure(pid: int) -> tuple[float, float]:
    """Resident memory in MiB, and open files."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, float(files)


def _median(measured: list[tuple[float, float]], at: int) -> float:
    return statistics.median(item[at] for item in measured)


if __name__ == "__main__":
    main()
