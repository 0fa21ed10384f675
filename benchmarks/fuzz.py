"""Fuzz what reads other people's text: good ones taken apart and put together wrong (`make fuzz`).

Hypothesis makes the inputs and shrinks what fails; each target has its time. A crash is whatever the target
must not raise, a hang more than 5 s of processor time on one input. Exit code 1 where there is any.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz_seeds import WORDS
from fuzz_targets import TARGETS, Target

MOST_SECONDS: Final = 5.0
BATCH: Final = 500
"""Inputs between two looks at the clock."""


class Hang(Exception):
    """One input took too long."""


def main() -> None:
    """Fuzz, and report executions and failures of each target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "targets", nargs="*", default=list(TARGETS), metavar="TARGET", help=", ".join(TARGETS)
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="to repeat a run")
    options = parser.parse_args()
    reports = [fuzz(name, options.minutes * 60, options.seed) for name in options.targets]
    sys.exit(any("failure" in report for report in reports))


def fuzz(name: str, seconds: float, first_seed: int) -> dict[str, object]:
    """Fuzz one target for so long, or until it fails."""
    target, executions = TARGETS[name], 0
    began = time.monotonic()
    report: dict[str, object] = {"target": name, "seed": first_seed}
    signal.signal(signal.SIGPROF, _hang)
    while "failure" not in report and time.monotonic() - began < seconds:
        tried, failure = _batch(target, first_seed + executions)
        executions += tried
        if failure is not None:
            report["failure"] = failure
    report |= {"executions": executions, "seconds": round(time.monotonic() - began)}
    print(json.dumps(report), flush=True)
    return report


def _batch(target: Target, number: int) -> tuple[int, str | None]:
    tried = 0

    @seed(number)
    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(_inputs(target))
    def execute(data: bytes) -> None:
        nonlocal tried
        tried += 1
        with _in_time():
            target.run(data)

    try:
        execute()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
        return tried, f"{type(error).__name__}: {error}; {getattr(error, '__notes__', [])}"
    return tried, None


def _inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Seeds with pieces taken out, doubled, swapped for words of the language, or for anything at all."""
    piece = st.one_of(
        st.sampled_from(WORDS), st.sampled_from(WORDS).map(lambda word: word * 40), st.text(max_size=8)
    )
    edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), piece, st.booleans()), max_size=12)
    edited = st.builds(_edited, st.sampled_from(target.seeds), edits)
    text = edited.map(lambda made: made.encode("utf-8", "surrogatepass"))
    return st.one_of(
        text, text, st.builds(_spoilt, text, st.floats(0, 1), st.binary(max_size=4)), st.binary()
    )


def _edited(text: str, edits: list[tuple[float, int, str, bool]]) -> str:
    for where, length, piece, doubles in edits:
        at = int(where * len(text))
        cut = text[at : at + length]
        text = text[:at] + (cut * 2 if doubles else "") + piece + text[at + length :]
    return text


def _spoilt(data: bytes, where: float, noise: bytes) -> bytes:
    at = int(where * len(data))
    return data[:at] + noise + data[at + len(noise) :]


@contextmanager
def _in_time() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _hang(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Hang(f"over {MOST_SECONDS:g} s of processor time")


if __name__ == "__main__":
    main()
