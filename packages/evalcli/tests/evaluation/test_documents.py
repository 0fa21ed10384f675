"""Documents among a job's inputs: read before the first call, once, whatever ends the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.documents import pdf
from evalsim.documents.notices import Notice
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import Hold, write_component

READER, MODEL = "reader/qwen3.5", "good"
MODELS = f"""\
documents: {{model: {READER}}}
models:
- {{id: {MODEL}, provider: mindrouter}}
- {{id: other, provider: mindrouter}}
"""
NOTICES = {name: Notice(at) for at, name in enumerate(("a", "b", "c"))}


class World:
    """A library with three documents, and a MindRouter that reads and answers."""

    def __init__(self, library: Path, *faults: Fault, hold: Hold | None = None) -> None:
        self.library = library
        write_component(library, schema={"type": "object"})
        for name, notice in NOTICES.items():
            case = library / f"components/memo/evals/cases/{name}"
            case.mkdir(parents=True)
            (case / "input.pdf").write_bytes(pdf.text_pdf(notice.pages(1)))
            (case / "expected.json").write_text(json.dumps(notice.expected))
        (library / ".evaluator").mkdir()
        (library / ".evaluator/models.yaml").write_text(MODELS)
        models = (SimModel(id=READER, latency=0.001), SimModel(id=MODEL), SimModel(id="other"))
        config = SimConfig(models=models, faults=faults)
        sleep = {} if hold is None else {"sleep": hold.sleep}
        self.sim = SimulatedMindRouter(config, AnswerBook.from_folders([library]), **sleep)

    @property
    def read(self) -> list[int]:
        """How often each document was sent, the least often first."""
        return sorted(self.sim.gateway.documents.values())

    def environment(self, url: str) -> dict[str, str]:
        return {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": "mr2_key"}

    def line(self, *more: object) -> list[str]:
        line = ("evaluate", "memo", "--replicates", 2, "--prompt-library", self.library, *more)
        return [str(part) for part in line]


Run = Callable[..., Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "library")


@pytest.fixture
def evaluate(evalcli: Run) -> Run:
    def run(world: World, *more: object, **environment: str | None) -> Any:
        with running(world.sim) as url:
            return evalcli(*world.line(*more), **world.environment(url) | environment)

    return run


def test_documents_are_read_once_for_all_models_and_replicates_and_told_in_the_record(world, evaluate):
    ended = evaluate(world, "--json")
    assert ended.code == 0, ended.err
    first, second = json.loads(ended.out)
    assert world.read == [1, 1, 1]
    assert "reading documents 1 of 3" in ended.err
    assert first["documents"] == second["documents"]
    assert {(one["case"], one["reader"], one["version"], one["pages"]) for one in first["documents"]} == {
        (name, "mindrouter", "2.9.58", 1) for name in NOTICES
    }
    assert [one["sha256"] for one in first["case_results"]] == [
        one["sha256"] for one in second["case_results"]
    ]
    assert first["accuracy"]["mean"] == 1


def test_a_second_evaluation_reads_nothing(world, evaluate):
    for _ in range(2):
        assert evaluate(world).code == 0
    assert world.read == [1, 1, 1]


def test_a_look_at_one_case_reads_one_document_for_the_evaluation_too(world, evaluate):
    assert evaluate(world, "--case", "b").code == 0
    assert world.read == [1]
    assert evaluate(world).code == 0
    assert world.read == [1, 1, 1]


def test_a_run_is_scored_again_from_what_it_keeps(world, evaluate, evalcli):
    (record, _) = json.loads(evaluate(world, "--json").out)
    folder = world.library / ".evaluator/runs" / record["run_id"]
    for case in NOTICES:
        (world.library / f"components/memo/evals/cases/{case}/input.pdf").unlink()
    ended = evalcli("rescore", folder, "--json")
    assert ended.code == 0, ended.err
    (again,) = json.loads(ended.out)
    assert again["documents"] == record["documents"]


def test_a_document_that_the_gateway_cannot_read_skips_its_case_and_the_exit_code_says_so(tmp_path, evaluate):
    # A chunk is tried three times by the gateway.
    world = World(tmp_path / "library", Fault(kind="backend_400", endpoint="ocr", times=3))
    ended = evaluate(world, "--json")
    assert ended.code == 1
    records = json.loads(ended.out)
    assert [(one["case"], one["broken"]) for one in records[0]["skipped_cases"]] == [("a", True)]
    assert "case a is skipped" in ended.err
    assert evaluate(world, "--allow-skipped").code == 0


def test_a_machine_that_cannot_read_as_the_library_says_calls_nobody(world, evaluate):
    models = world.library / ".evaluator/models.yaml"
    models.write_text(MODELS.replace(f"documents: {{model: {READER}}}\n", ""))
    ended = evaluate(world)
    assert ended.code == 2
    assert "names no model to read them with" in ended.err
    assert not (world.library / ".evaluator/runs").exists()


def test_what_ends_the_reading_says_how_to_go_on(world, evaluate):
    assert evaluate(world, "--case", "a").code == 0
    world.sim.faults.add([Fault(kind="quota", endpoint="ocr")])
    ended = evaluate(world)
    assert ended.code == 2
    lines = ended.err.splitlines()
    assert lines[-3] == "what was read of the documents is kept; go on with:"
    assert lines[-2].strip().startswith("evalcli evaluate memo --model good --model other --replicates 2")
    assert "quota" in lines[-1]
    world.sim.faults.clear()
    assert evaluate(world).code == 0
    assert world.read == [1, 1, 2]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_end_in_the_middle_of_reading_loses_the_document_in_hand_alone(tmp_path, evaluate, name):
    hold = Hold(1)  # the call of the first document
    world = World(tmp_path / "library", hold=hold)
    program = [sys.executable, "-c", "from evalcli.main import main; main()", *world.line()]
    with running(world.sim) as url:
        with subprocess.Popen(
            program, env=os.environ | world.environment(url), stderr=subprocess.PIPE, text=True
        ) as process:
            assert hold.is_held.wait(60)
            process.send_signal(name)
            _, err = process.communicate(timeout=60)
        hold.open()
    assert "Traceback" not in err
    if name != signal.SIGKILL:
        assert process.returncode == 130
        assert "what was read of the documents is kept" in err
    assert evaluate(world).code == 0
    assert world.read == [1, 1, 2]


def test_pictures_are_sent_as_they_are_where_the_library_says_so(world, evaluate):
    (world.library / "components/memo/evals/inputs.yaml").write_text("reader: none\n")
    ended = evaluate(world)
    # MindRouter passes over a PDF without a word: the model would answer unseen.
    assert ended.code == 3
    assert "3 documents are not sent to good, which takes no PDF as it is" in ended.err
    assert "mindrouter takes none of its documents as they are" in ended.err
    assert world.read == []


def test_a_dry_run_says_which_documents_a_model_is_not_sent(world, evaluate):
    (world.library / "components/memo/evals/inputs.yaml").write_text("reader: none\n")
    ended = evaluate(world, "--dry-run")
    assert ended.code == 0
    assert "3 documents are sent to the models as they are" in ended.out
    assert "3 documents are of kinds that it does not take as it is" in ended.out
    assert "local_only" not in ended.out
