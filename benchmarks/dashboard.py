"""The dashboard of 60 components x 500 runs x 20 models: 60 s at most, and 3 s and 300 MB with rankings kept.

Five versions of five runs of each model; 3 cases x 5 to 28 x 10; fixed seeds. "Kept" is what the cache of the
first time has, written into an empty folder; then again after one new record, where only its pages change.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from evalcore.runs.leaderboard import leaderboard_of
from evalcore.runs.record import CaseResult, RunRecord
from evalsim.testing import make_record
from ranking import DESIGNS, KINDS

COMPONENTS, MODELS, VERSIONS, RUNS = 60, 20, 5, 5
"""Runs of each model at each version: 500 of each component."""
FIELDS: Final = tuple(f"award.field_{at}" for at in range(10))
COLD, KEPT = 60.0, 3.0
"""Seconds."""
MOST_MEMORY: Final = 300
"""MB, of the process and those it starts."""


def records_of(component: int) -> list[RunRecord]:
    rng = Random(component)
    (cases, replicates), kind = DESIGNS[component % len(DESIGNS)], KINDS[component % len(KINDS)]
    hardness = [rng.gauss(0, 0.1) for _ in range(cases)]
    means = [rng.uniform(0.6, 0.95) for _ in range(MODELS)]
    records = []
    for version in range(VERSIONS):
        for run in range(RUNS):
            for model, mean in enumerate(means):
                scores = [
                    [kind(rng, mean + hard + 0.01 * version) for _ in range(replicates)] for hard in hardness
                ]
                flat = [score for case in scores for score in case]
                accuracy = sum(flat) / len(flat)
                fields = {field: min(1.0, accuracy * rng.uniform(0.9, 1.0)) for field in FIELDS}
                results = tuple(
                    CaseResult(
                        f"case-{at}", f"{at:064x}", "1.0.0", tuple(case), rng.random(),
                        exact=tuple(one == 1 for one in case), precision=accuracy, recall=accuracy,
                    )
                    for at, case in enumerate(scores)
                )  # fmt: skip
                number = (version * RUNS + run) * MODELS + model
                records.append(
                    make_record(
                        number,
                        mean=accuracy,
                        component_version=f"1.{version}.0",
                        prompt_sha256=f"{version:064x}",
                        cases_sha256=f"{component:064x}",
                        replicates=replicates,
                        cases=cases,
                        model=f"vendor/model-{model}",
                        case_results=results,
                        scoring_version=3,
                        finished_at=f"2026-{1 + 2 * version:02d}-{1 + 5 * run:02d}T09:00:{model:02d}Z",
                        accuracy={
                            "mean": accuracy, "ci95": [max(0, accuracy - 0.02), min(1, accuracy + 0.02)],
                            "anls_star": accuracy, "by_field": fields, "precision_by_field": fields,
                            "recall_by_field": fields,
                        },
                        reproducibility={
                            "mean": 0.9, "ci95": [0.88, 0.92], "identical_rate": 0.5, "by_field": fields,
                        },
                        cost_usd=0.01,
                        calls={
                            "total": len(flat), "ok": len(flat), "api_error": 0, "parse_error": 0,
                            "truncated": 0,
                        },
                    )
                )  # fmt: skip
    return records


def write_library(folder: Path) -> None:
    for component in range(COMPONENTS):
        slug = f"component-{component:02d}"
        place = folder / "components" / slug
        place.mkdir(parents=True)
        (place / "prompt.md").write_text(f"---\nname: {slug}\nversion: 1.5.0\n---\nAnswer.\n")
        write_leaderboard(place / "leaderboard.json", slug, records_of(component))
    models = "\n".join(f"  - {{id: vendor/model-{at}, provider: mindrouter}}" for at in range(MODELS))
    (folder / ".evaluator").mkdir()
    (folder / ".evaluator" / "models.yaml").write_text(f"models:\n{models}\n")


def write_leaderboard(path: Path, slug: str, records: list[RunRecord]) -> None:
    runs = leaderboard_of(slug, records).runs
    value = {"schema_version": 1, "component": slug, "runs": runs}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2))


def measured(*line: str) -> tuple[float, int]:
    """Run `evalcli`; return the seconds, and the most MB that it and its processes held at once."""
    began = time.perf_counter()
    program = str(Path(sys.executable).with_name("evalcli"))
    process = os.spawnv(os.P_NOWAIT, program, [program, *line])
    most = 0
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        most = max(most, memory_of(process))
        time.sleep(0.05)
    return time.perf_counter() - began, most


def memory_of(process: int) -> int:
    """Return the MB of a process and of its children; what they share counts for each."""
    pages = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(folder.name) == process or int(status[1]) == process:
                pages.append(int((folder / "statm").read_text().split()[1]))
        except OSError:
            continue
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") // 2**20


def main() -> int:
    is_reached = True
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        write_library(root / "library")
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        size = sum(path.stat().st_size for path in (root / "library").rglob("leaderboard.json"))
        print(f"{COMPONENTS} components x {VERSIONS * RUNS * MODELS} runs x {MODELS} models, {size >> 20} MB")
        command = ("dashboard", "--prompt-library", str(root / "library"), "--out")
        for name, out, most in (("cold", "one", COLD), ("kept", "two", KEPT), ("unchanged", "two", KEPT)):
            took, held = measured(*command, str(root / out))
            is_reached &= took <= most and (name == "cold" or held <= MOST_MEMORY)
            print(f"{name}: {took:.1f} s (at most {most:.0f}), {held} MB (at most {MOST_MEMORY} when kept)")
        slug = "component-07"
        more = [*records_of(7), make_record(9_999, model="vendor/model-1", component_version="1.5.0")]
        write_leaderboard(root / "library" / "components" / slug / "leaderboard.json", slug, more)
        took, held = measured(*command, str(root / "two"))
        print(f"after one new record: {took:.1f} s, {held} MB")
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
