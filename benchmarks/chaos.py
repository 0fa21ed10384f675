"""Kills the service at random and stated instants, evaluation after evaluation, and counts what went wrong.

`make chaos`; the seed makes the draw of the points repeatable. Exit code 1 where anything was lost,
doubled or different, with the service's log and state left in the folder that is named.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from evalsim.chaos.run import run_chaos


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # The simulated outside goes on sending to a service that was killed, which is the point.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="evaluator-chaos-"))
    tally = run_chaos(folder, options.kills, options.seed)
    print(json.dumps(msgspec.to_builtins(tally), indent=2))
    if tally.lost or tally.doubled or tally.differing or tally.kills < options.kills:
        print(f"see {folder}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
