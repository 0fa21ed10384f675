"""Memory: 20,000 calls of 4 kB replies: at most 150 MB at the peak, and at most 1.10 of 2,000 calls'."""

from __future__ import annotations

import sys

from evalsim.mindrouter import SimConfig, SimModel
from process import MODEL, answer_of, case_input, measure, our_command, prompt_library
from simulator import simulated

REPLICATES = 100


def peak(cases: int) -> float:
    """Peak memory in MB, of the command or its scoring process, whichever is larger."""
    answer = answer_of(80)
    answers = {case_input(number): answer for number in range(cases)}
    with (
        simulated(SimConfig(models=(SimModel(id=MODEL),)), answers) as url,
        prompt_library(cases, answer, url, stream=False) as folder,
    ):
        return measure(our_command(REPLICATES), folder).peak


def main() -> int:
    few, many = peak(20), peak(200)
    print(f"20,000 calls of 4 kB replies: peak {many:.0f} MB (at most 150), 2,000 calls: {few:.0f} MB")
    print(f"  ratio {many / few:.2f} (at most 1.10)")
    return 0 if many <= 150 and many <= 1.1 * few else 1


if __name__ == "__main__":
    sys.exit(main())
