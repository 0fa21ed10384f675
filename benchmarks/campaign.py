"""Campaigns: calls by 1, 2 and 4 workers beside the ideal, scoring by as many, the forecast beside the facts.

Calls: the same runs at a simulated MindRouter whose calls take a second; four runs share the limit, and a
worker does one. The ideal is what that many calls take at so many a time. At most 1.25 of it with four
workers, which have the whole limit, and never more calls in flight than it allows.
Scoring: kept runs scored again; the speed-up over one worker, beside the machine's cores.
Forecast: `evalsim history`'s library after one round at this gateway; what `campaign plan` says of a second
round with more replicates, beside what it took: within a third for the whole.

About twenty minutes, alone on the machine. Without PostgreSQL on it, the first part has one worker on SQLite,
and the second none.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from campaign_setting import campaign, gateway, new_database, postgresql, work, write_library, write_models
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import sha256_hex
from evalsim.history.library import write_year
from evalsim.library import write_sample_library
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel

LATENCY_S = 1.0
CALLS, RUNS = 16, 4
"""The gateway's limit, and the runs at once that share it."""
WORKERS = (1, 2, 4)
MOST_OF_IDEAL = 1.25
MOST_OFF = 1 / 3
LIMITS = f"limits: {{mindrouter: {{calls: {CALLS}, runs: {RUNS}, runs_per_model: {RUNS}}}}}\n"
SECONDS_OF = {"openai/gpt-oss-120b": 0.8, "qwen/qwen3.5-122b": 1.6, "mistral/mistral-small-4": 0.4}
"""Seconds of a call, by the model."""


@contextmanager
def a_folder() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def calls_part(server: str | None, components: int, cases: int) -> bool:
    """Run the same campaign with more and more workers."""
    models = ("model-a", "model-b")
    config = SimConfig(models=tuple(SimModel(id=model, latency=LATENCY_S) for model in models))
    with a_folder() as made:
        answers = write_library(made, "", components, models, cases, facts=10)
        (made / "calls.yaml").write_text(f"models: all\n{LIMITS}", "utf-8")
        runs = components * len(models)
        calls = runs * cases * 10
        print(f"{runs} runs, {calls:,} calls of {LATENCY_S:g} s, at most {CALLS} in flight:")
        reached = True
        for workers in WORKERS if server is not None else (RUNS,):
            with gateway(config, answers) as (url, application):
                write_models(made, url, models)
                wall = _once(made, server, workers)
            made_calls, most = application.gateway.calls.total(), application.gateway.most_in_flight
            ideal = calls * LATENCY_S / (CALLS * workers / RUNS)
            where = f"{counted(workers, 'worker')}" if server is not None else "1 worker on SQLite"
            print(
                f"  {where}: {wall:.1f} s, ideal {ideal:.1f} s, ratio {wall / ideal:.2f};"
                f" {made_calls:,} calls, at most {most} in flight"
            )
            reached &= made_calls == calls and most <= CALLS
            reached &= workers < RUNS or wall <= MOST_OF_IDEAL * ideal
    print(f"  at most {MOST_OF_IDEAL:g} of the ideal where all {RUNS} runs go on at once")
    return reached


def _once(library: Path, server: str | None, workers: int) -> float:
    shutil.rmtree(library / "runs", ignore_errors=True)
    if server is None:
        begun = time.perf_counter()
        campaign(library, "run", "calls.yaml", "--runs-dir", "runs")
        return time.perf_counter() - begun
    database = new_database(server)
    campaign(library, "run", "calls.yaml", "--no-work", "--database", database, "--runs-dir", "runs")
    wall = work(library, database, workers)
    _require_complete(campaign(library, "status", "calls", "--json", "--database", database))
    return wall


def scoring_part(server: str | None, runs: int, cases: int, facts: int) -> bool:
    """Score kept runs again with more and more workers, one core each."""
    if server is None:
        print("scoring again: not measured, there is no PostgreSQL here")
        return True
    with a_folder() as made:
        answers = write_library(made, "", 1, ("model-a",), cases, facts)
        config = SimConfig(models=(SimModel(id="model-a", quality=0.8, noise=0.2),))
        with gateway(config, answers) as (url, _):
            write_models(made, url, ("model-a",))
            (made / "first.yaml").write_text("models: all\n", "utf-8")
            campaign(made, "run", "first.yaml", "--runs-dir", "runs")
        _multiply(made / "runs", runs)
        (made / "again.yaml").write_text("models: all\ntask: rescore\n", "utf-8")
        cores = len(os.sched_getaffinity(0))
        print(f"{runs} kept runs of {cases * 10} replies scored again, on {cores} cores:")
        first = None
        for workers in WORKERS:
            database = new_database(server)
            campaign(made, "run", "again.yaml", "--no-work", "--database", database, "--runs-dir", "runs")
            wall = work(made, database, workers)
            _require_complete(campaign(made, "status", "again", "--json", "--database", database))
            first, each = first or wall, wall / runs * workers
            rate = f"{each:.2f} s a run, speed-up {first / wall:.2f}"
            print(f"  {counted(workers, 'worker')}: {wall:.1f} s, {rate}")
    return True


def _multiply(folder: Path, count: int) -> None:
    """Make a kept run many, each with an id of its own."""
    (source,) = (path.parent for path in folder.glob("*/run.json"))
    for _ in range(count - 1):
        run_id = str(uuid4())
        target = folder / run_id
        shutil.copytree(source, target)
        plan = (target / "run.json").read_bytes()
        made = plan.replace(source.name.encode(), run_id.encode())
        (target / "run.json").write_bytes(made)
        record = (target / "record.json").read_text("utf-8").replace(source.name, run_id)
        # The record names the bytes of its plan, and is not scored again where these differ.
        record = record.replace(sha256_hex(plan), sha256_hex(made))
        (target / "record.json").write_text(record, "utf-8")


def forecast_part(first: int, second: int) -> bool:
    """Plan a second round by the first, and do it."""
    with a_folder() as made:
        foreseen, wall, runs = _two_rounds(made, first, second)
    ratios = {f"{run['component']} on {run['model']}": _took(run) / run["foreseen_s"] for run in runs}
    print(f"{len(runs)} runs of a library with history: seconds for each foreseen:")
    for name, ratio in ratios.items():
        print(f"  {name:<55} {ratio:.2f}")
    whole, least, most = wall / foreseen, min(ratios.values()), max(ratios.values())
    print(f"  a run: median {median(ratios.values()):.2f}, {least:.2f} to {most:.2f}")
    print(f"  the whole: {wall:.1f} s, foreseen {foreseen:.1f} s, ratio {whole:.2f} (1, within a third)")
    return abs(whole - 1) <= MOST_OFF


def _two_rounds(folder: Path, first: int, second: int) -> tuple[float, float, list[dict[str, Any]]]:
    """Return the seconds that were foreseen of the second round, those that it took, and its runs."""
    models = [
        SimModel(id=name, quality=0.9, noise=0.1, latency=seconds) for name, seconds in SECONDS_OF.items()
    ]
    config = SimConfig(models=tuple(models), faults=(Fault(kind="slow", every=7, seconds=1.5),))
    write_sample_library(folder / "sample")
    write_year(folder / "sample", library := folder / "library")
    # A further version, so that what this gateway takes is not mixed with what last year's took.
    for prompt in library.glob("components/*/prompt.md"):
        text = prompt.read_text("utf-8")
        prompt.write_text(re.sub(r"(?m)^version: .*$", "version: 9.0.0", text, count=1), "utf-8")
    with gateway(config, AnswerBook.from_folders([library])) as (url, _):
        write_models(library, url, tuple(SECONDS_OF))
        for name, replicates in (("first", first), ("second", second)):
            text = f"models: all\nreplicates: {replicates}\n{LIMITS}"
            (library / f"{name}.yaml").write_text(text, "utf-8")
        campaign(library, "run", "first.yaml")
        campaign(library, "publish", "first", "--here")
        foreseen = json.loads(campaign(library, "plan", "second.yaml", "--json"))["seconds"]
        begun = time.perf_counter()
        campaign(library, "run", "second.yaml")
        wall = time.perf_counter() - begun
        return foreseen, wall, _require_complete(campaign(library, "status", "second", "--json"))


def _took(run: dict[str, Any]) -> float:
    return (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["begun_at"])).total_seconds()


def _require_complete(status: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(status)["runs"]
    for run in runs:
        if run["status"] != "complete":
            raise RuntimeError(f"{run['component']} on {run['model']}: {run['status']}: {run['reason']}")
    return runs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of it, which measures nothing but that it works"
    )
    parser.add_argument("--part", choices=("calls", "scoring", "forecast"), help="this one alone")
    options = parser.parse_args()
    quick, part = options.quick, options.part
    reached = True
    with postgresql() as server:
        if part in {None, "calls"}:
            reached &= calls_part(server, 2 if quick else 4, 1 if quick else 8)
        if part in {None, "scoring"}:
            reached &= scoring_part(server, 8 if quick else 200, 2 if quick else 10, 25)
        if part in {None, "forecast"}:
            reached &= forecast_part(2, 3) if quick else forecast_part(10, 40)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
