"""Kills and disturbs the service at random instants, evaluation after evaluation, and counts what went wrong.

Disturbances are outages of MindRouter and cuts of its network of 5 to 300 s, and refused keys. The service's
time passes `--factor` times as fast, so that these take seconds.

`make chaos`; the seed makes the draw of the points repeatable. Exit code 1 where anything was lost,
doubled or different, with the service's log and state left in the folder that is named.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from evalsim.chaos.cut_network import Outcome, command
from evalsim.chaos.run import Faults, run_chaos


def cut_network(seconds: float, seed: int) -> bool:
    """Whether a cut changes nothing, nobody's time hurried."""
    told = subprocess.run(command(seconds, 1.0, seed), stdout=subprocess.PIPE, check=True).stdout
    print(told.decode().strip())
    outcome = msgspec.json.decode(told, type=Outcome)
    return set(outcome.accuracies) == {1.0} and not outcome.failed and outcome.held <= 60


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--outages", type=int, default=100)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--refusals", type=int, default=20)
    parser.add_argument("--factor", type=float, default=20.0)
    parser.add_argument("--network", action="store_true", help="also real cuts of a real network, unhurried")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # The simulated outside goes on sending to a service that was killed, which is the point.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="evaluator-chaos-"))
    faults = Faults(
        kills=options.kills, outages=options.outages, cuts=options.cuts, refusals=options.refusals
    )
    tally = run_chaos(folder, faults, options.seed, factor=options.factor)
    print(json.dumps(msgspec.to_builtins(tally), indent=2))
    if options.network and not all(cut_network(cut, options.seed) for cut in (5.0, 15.0, 60.0, 300.0)):
        sys.exit(1)
    is_less = tally.kills < options.kills or sum(tally.disturbances.values()) < (
        options.outages + options.cuts + options.refusals
    )
    if tally.lost or tally.doubled or tally.differing or tally.wrong or is_less:
        print(f"see {folder}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
