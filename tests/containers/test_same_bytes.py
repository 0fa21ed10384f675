"""The same replies give the same record, byte for byte, on this Python and on the images'."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from evalcore.clients.reply import Usage
from evalcore.library.models import Model, Price
from evalcore.runs.folder import RECORD, REPLIES, RunFolder
from evalcore.scoring.score_run import score_run
from evalsim.testing import SHA, make_case, make_component, make_reply, make_run_plan

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

EXPECTED = {
    "title": "Coastal sensors for a warming bay",
    "amount": "$12,500.00",
    "due": "2027-03-01",
    "confidence": 0.85,
    "rationale": "The notice names a program, a deadline and the people who may apply to it.",
    "items": [{"name": f"item {n}", "pages": n, "required": n % 2 == 0} for n in range(6)],
}


def perturbed(noise: random.Random) -> str:
    answer = json.loads(json.dumps(EXPECTED))
    noise.shuffle(answer["items"])
    answer["confidence"] = round(noise.random(), 2)
    answer["title"] = answer["title"][noise.randrange(12) :]
    answer["items"] = answer["items"][noise.randrange(3) :]
    return json.dumps(answer) if noise.random() < 0.95 else json.dumps(answer)[:-7]


def a_run(folder: Path) -> Path:
    """Keep a run of three cases and eight replicates, scored here."""
    schema = {"type": "object", "properties": {"amount": {"type": "string"}}}
    plan = make_run_plan(
        component=make_component("c", schema=schema, schema_sha256=SHA),
        cases=[make_case(name, EXPECTED) for name in "abc"],
        model=Model("m", "mindrouter", price=Price(0.3, 0.7)),
        replicates=8,
    )
    noise = random.Random(11)
    run = RunFolder.create(folder, plan)
    for replicate, case in run.pending():
        run.append(
            make_reply(
                case.name,
                replicate,
                perturbed(noise),
                usage=Usage(100, 37),
                latency_ms=round(noise.random() * 1000, 3),
            )
        )
    run.write_record(score_run(run.plan, run.replies_of))
    run.close()
    return run.path


def test_a_record_is_the_same_bytes_here_and_in_the_image_whatever_the_order_of_replies(
    docker: Any, images: Any, tmp_path: Path
) -> None:
    path = a_run(tmp_path)
    here = (path / RECORD).read_bytes()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(path, elsewhere)
    (elsewhere / RECORD).unlink()
    lines = (elsewhere / REPLIES).read_bytes().splitlines(keepends=True)
    random.Random(5).shuffle(lines)
    (elsewhere / REPLIES).write_bytes(b"".join(lines))
    arguments = [
        "run",
        "--rm",
        "--interactive",
        "--network",
        "none",
        "--user",
        "0",
        "--env",
        "PYTHONHASHSEED=99",
    ]
    arguments += ["--volume", f"{elsewhere}:/run-folder", "--entrypoint", "python3"]
    told = docker(
        *arguments,
        images.runner,
        "-m",
        "evalcore.evaluation.scoring_worker",
        words='{"folder": "/run-folder", "is_complete": true}\n',
    )
    # a line for each case that it has come to, then one for the run
    *_cases, last = told.splitlines()
    assert json.loads(last)["error"] is None, told
    assert (elsewhere / RECORD).read_bytes() == here
