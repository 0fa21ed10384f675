"""Run every benchmark, one after the other; exit 1 where a figure is not reached."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
BENCHMARKS = (
    "scoring",
    "calling",
    "cloud",
    "streaming",
    "memory",
    "start",
    "silence",
    "load",
    "ranking",
    "dashboard",
    "dashboard_page",
    "report",
    "campaign",
)


def main() -> int:
    missed = []
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], check=False).returncode:
            missed.append(name)
    print(f"not reached: {', '.join(missed)}" if missed else "every figure was reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
