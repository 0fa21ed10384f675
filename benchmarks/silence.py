"""Silence: one call in a hundred is accepted and never answered, all at defaults but a 2 s time limit.

All calls must be accounted for in the run record, and the run must end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from evalsim.mindrouter import Fault, SimConfig, SimModel
from process import EVALCLI, MODEL, answer_of, case_input, prompt_library
from simulator import KEY, simulated

CASES, REPLICATES = 100, 10
ENDS_WITHIN = 60.0
"""Seconds; where others were still stuck."""


def main() -> int:
    answer = answer_of(5)
    config = SimConfig(models=(SimModel(id=MODEL),), faults=(Fault(kind="silent", every=100),))
    answers = {case_input(number): answer for number in range(CASES)}
    with simulated(config, answers) as url, prompt_library(CASES, answer, url, timeout=2.0) as folder:
        begun = time.perf_counter()
        told = subprocess.run(
            [str(EVALCLI), "evaluate", "benchmark", "--replicates", str(REPLICATES), "--json"],
            cwd=folder,
            env=os.environ | {"BENCHMARK_KEY": KEY},
            capture_output=True,
            check=False,
            timeout=300,
        )
        wall = time.perf_counter() - begun
    (record,) = json.loads(told.stdout)
    calls = record["calls"]
    accounted = calls["ok"] + calls["api_error"] + calls["parse_error"]
    print(f"{CASES * REPLICATES} calls, every 100th never answered: ended after {wall:.1f} s")
    print(f"  accounted for: {accounted} of {calls['total']}; {calls}")
    return 0 if accounted == calls["total"] == CASES * REPLICATES and wall <= ENDS_WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
