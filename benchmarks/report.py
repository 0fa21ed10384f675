"""How long a run's report takes: 200 cases x 20 replicates, beside scoring the same run; and a hostile run's.

python benchmarks/report.py [--cases N] [--replicates N]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from evalcore.evaluation.report import report_run
from evalcore.formats.strict_json import sha256_of
from evalcore.reports.run_report.make import report_files
from evalcore.reports.run_report.png import draw_png
from evalcore.runs.folder import RunFolder
from evalcore.runs.plan import RunPlan
from evalcore.scoring.score_run import score_run
from evalcore.structs import JsonObject, JsonValue
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

FIELDS = 30
ITEMS = 12
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        **{f"field_{at}": {"type": ["string", "null"]} for at in range(FIELDS)},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "amount": {"type": "number"}, "note": {}},
                "required": ["name", "amount"],
            },
        },
    },
    "required": ["field_0", "items"],
    "additionalProperties": False,
}


def answer(chance: random.Random, noise: float) -> JsonObject:
    """Make an answer of some 70 values, each wrong with a probability of `noise`."""

    def value(right: JsonValue) -> JsonValue:
        return right if chance.random() >= noise else f"wrong {chance.randrange(5)}"

    fields: JsonObject = {f"field_{at}": value(f"the value of field {at}") for at in range(FIELDS)}
    items: list[JsonValue] = [
        {"name": value(f"item {at}"), "amount": 10.0 * at, "note": value(None)} for at in range(ITEMS)
    ]
    return fields | {"items": items}


def make_run(folder: Path, cases: int, replicates: int, texts: list[str] | None = None) -> tuple[Path, float]:
    """Write the folder of a scored run; gives it with the seconds that scoring took."""
    chance = random.Random(1)
    component = make_component(schema=SCHEMA, schema_sha256=sha256_of(SCHEMA))
    expected = answer(chance, 0.0)
    plan: RunPlan = make_run_plan(
        component=component,
        cases=[make_case(f"case-{at:03}", expected, input=str(at)) for at in range(cases)],
        replicates=replicates,
    )
    run = RunFolder.create(folder, plan)
    for case in plan.cases:
        for replicate in range(replicates):
            text = texts[replicate % len(texts)] if texts else json.dumps(answer(chance, 0.1))
            run.append(make_reply(case.name, replicate, text))
    began = time.perf_counter()
    run.write_record(score_run(plan, run.replies_of))
    seconds = time.perf_counter() - began
    run.close()
    return run.path, seconds


def hostile_texts() -> list[str]:
    """Replies that want to hang or bloat a report."""
    return [
        json.dumps({f"key {at} " + "x" * 10_000: at for at in range(100)}),
        json.dumps({"field_0": 1, "items": [1] * 1_000_000}),
        json.dumps({"field_0": "a", "items": [{"x": at} for at in range(20_000)]}),
        '{"items": ' + "[" * 190 + "]" * 190 + "}",
        json.dumps({"field_0": "y" * 1_000_000}),
    ]


LONGEST_S = 3.0
"""For 200 cases x 20 replicates."""


def main() -> int:
    """Measure, and print the ratio to scoring; 1 where a report takes too long."""
    slow = 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--replicates", type=int, default=20)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs: list[tuple[str, int, int, list[str] | None]] = [
            ("typical", wanted.cases, wanted.replicates, None),
            ("hostile", 2, 5, hostile_texts()),
        ]
        for name, cases, replicates, texts in runs:
            run, scoring = make_run(Path(scratch) / name, cases, replicates, texts)
            began, used = time.perf_counter(), time.process_time()
            report = report_run(run)
            made = time.perf_counter()
            files = report_files(report, draw_png)
            ended, spent = time.perf_counter(), time.process_time()
            size = sum(map(len, files.values()))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            parts = f"counting {made - began:.2f}, files {ended - made:.2f}, processor {spent - used:.2f}"
            print(f"{name}: {cases} x {replicates}, report {ended - began:.2f} s ({parts})", end=", ")
            print(f"{size / 1e3:.0f} kB, peak {peak} MiB", end="; ")
            slow += ended - began > LONGEST_S
            print(f"scoring {scoring:.2f} s, ratio {(ended - began) / max(scoring, 1e-9):.2f}")

    return min(slow, 1)


if __name__ == "__main__":
    sys.exit(main())
