"""The command line against the simulated cloud, over real HTTP, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evalcore.structs import Frozen
from evalsim.cloud import CloudConfig, CloudFault, CloudModel, SimulatedCloud
from evalsim.library import write_sample_library
from evalsim.mindrouter import AnswerBook
from evalsim.serving import running

SLUG = "award-notice-terms"
KINDS = ("anthropic", "openai", "google")
EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]
KEYS = {
    "ANTHROPIC_API_KEY": "canary-anthropic-1f7",
    "OPENAI_API_KEY": "canary-openai-2e8",
    "GOOGLE_API_KEY": "canary-google-3d9",
}


class Ended(Frozen, frozen=True):
    code: int
    out: str
    err: str


class World:
    """A prompt library, the three providers, and the command line between them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.library = folder / "library"
        write_sample_library(self.library)
        self.apps: dict[str, SimulatedCloud] = {}
        self._stack = stack
        self._urls: dict[str, str] = {}

    def start(self, *faults: CloudFault, batch_looks: int = 1, **model: Any) -> None:
        book = AnswerBook.from_folders([self.library])
        for kind in KINDS:
            key = KEYS[f"{kind.upper()}_API_KEY"]
            config = CloudConfig(
                models=(CloudModel(id=f"{kind}-1", **model),),
                keys=(key,),
                faults=faults,
                batch_looks=batch_looks,
            )
            self.apps[kind] = SimulatedCloud(kind, config, book)
            self._urls[kind] = self._stack.enter_context(running(self.apps[kind]))

    def write_models(self, kinds: tuple[str, ...] = KINDS, **settings: Any) -> None:
        price = {"input": 1.0, "output": 10.0}
        models = [
            {
                "id": f"{kind}-1",
                "provider": kind,
                "structured_output": "json_schema",
                "params": {"max_tokens": 1000},
                "price": price,
            }
            | settings
            for kind in kinds
        ]
        providers = {kind: {"base_url": url} for kind, url in self._urls.items()}
        path = self.library / ".evaluator" / "models.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"providers": providers, "models": models}))

    def evalcli(self, *arguments: str, **environment: str) -> Ended:
        given = {name: value for name, value in os.environ.items() if name not in KEYS}
        done = subprocess.run(
            [*EVALCLI, *arguments],
            cwd=self.library,
            env=given | KEYS | environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def calls(self, kind: str) -> int:
        return sum(seen.body != b"" for seen in self.apps[kind].seen)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_three_providers_are_evaluated_and_no_key_is_anywhere(world: World) -> None:
    world.start()
    world.write_models()
    ended = world.evalcli("evaluate", SLUG, "--replicates", "2", "--json", "-v")
    assert ended.code == 0, ended.err
    records = json.loads(ended.out)
    assert {record["provider"]: record["accuracy"]["mean"] for record in records} == dict.fromkeys(KINDS, 1.0)
    assert all(record["schema_adapted"] is not None for record in records)
    written = b"".join(path.read_bytes() for path in world.library.rglob("*") if path.is_file())
    assert b"canary" not in written
    assert "canary" not in ended.out + ended.err
    for kind in KINDS:
        for seen in world.apps[kind].seen:
            text = " ".join([*seen.headers.values(), seen.path, seen.body.decode()])
            found = [name for name, key in KEYS.items() if key in text]
            assert found == [f"{kind.upper()}_API_KEY"]


def test_a_key_that_is_not_set_skips_its_models_with_a_warning(world: World) -> None:
    world.start()
    world.write_models()
    ended = world.evalcli("evaluate", SLUG, "--replicates", "1", "--json", OPENAI_API_KEY="")
    assert ended.code == 0, ended.err
    assert "openai-1 is skipped: OPENAI_API_KEY is not set" in ended.err
    assert [record["provider"] for record in json.loads(ended.out)] == ["anthropic", "google"]
    assert not world.apps["openai"].seen


def test_models_check_finds_a_refused_parameter_with_one_call_of_one_token(world: World) -> None:
    world.start(is_reasoning=True)
    world.write_models(params={"temperature": 0.5})
    ended = world.evalcli("models", "check", COLUMNS="500")
    assert ended.code == 1
    assert ended.out.count("refuses the parameter `temperature`") == 3
    bodies = {kind: json.loads(world.apps[kind].seen[-1].body) for kind in KINDS}
    assert [world.calls(kind) for kind in KINDS] == [1, 1, 1]
    assert bodies["anthropic"]["max_tokens"] == 1
    assert bodies["openai"]["max_completion_tokens"] == 1
    assert bodies["google"]["generationConfig"]["maxOutputTokens"] == 1


def test_models_check_says_what_of_a_components_schema_is_changed(world: World) -> None:
    world.start()
    world.write_models()
    ended = world.evalcli("models", "check", "--skill", SLUG, COLUMNS="500")
    assert ended.code == 0, ended.out
    assert "sent as required and nullable" in ended.out or "is not sent" in ended.out
    assert [world.calls(kind) for kind in KINDS] == [1, 1, 1]


def test_a_dry_run_and_check_say_so_without_a_call(world: World) -> None:
    world.start()
    world.write_models()
    shown = world.evalcli("evaluate", SLUG, "--dry-run", COLUMNS="500")
    checked = world.evalcli("check", SLUG)
    assert (shown.code, checked.code) == (0, 0), checked.out
    assert "is not sent" in shown.out or "is added" in shown.out
    assert "its schema is changed for" in checked.out
    assert not any(world.apps[kind].seen for kind in KINDS)


def test_a_case_that_is_local_only_is_said_and_never_sent(world: World) -> None:
    world.start()
    world.write_models()
    case = world.library / "components" / SLUG / "evals" / "cases" / "soil-carbon"
    (case / "metadata.yaml").write_text("local_only: true\n")
    ended = world.evalcli("evaluate", SLUG, "--replicates", "1", "--json")
    assert "1 case is local_only and not sent to anthropic-1, openai-1, google-1" in ended.err
    for record in json.loads(ended.out):
        assert "soil-carbon" not in [result["case"] for result in record["case_results"]]
        assert "soil-carbon" in [skipped["case"] for skipped in record["skipped_cases"]]
    text = next(case.glob("input.*")).read_text()
    assert not any(text[:40].encode() in seen.body for kind in KINDS for seen in world.apps[kind].seen)


def test_calls_stop_before_the_one_that_could_exceed_the_cost_and_go_on_later(world: World) -> None:
    world.start()
    world.write_models(("anthropic",))
    # 1,000 tokens out at 10 USD per million: a call could cost 0.0101 USD
    ended = world.evalcli("evaluate", SLUG, "--replicates", "9", "--max-cost", "0.0125", "--json")
    assert ended.code == 1
    assert "by an estimate of" in ended.err
    assert "--max-cost 0.0125" in ended.err
    made = world.calls("anthropic")
    assert 0 < made < 18
    (run,) = (world.library / ".evaluator" / "runs").glob("*/run.json")
    ended = world.evalcli("evaluate", SLUG, "--resume", str(run.parent), "--json")
    assert ended.code == 0, ended.err
    (record,) = json.loads(ended.out)
    assert record["calls"]["ok"] == record["calls"]["total"] == world.calls("anthropic")
    again = world.evalcli("evaluate", SLUG, "--replicates", "1", "--max-cost", "1", "--json")
    assert again.code == 0
    assert "by 1 past run" in again.err


def test_without_a_price_no_cost_can_be_held(world: World) -> None:
    world.start()
    world.write_models(("google",), price=None)
    ended = world.evalcli("evaluate", SLUG, "--max-cost", "1")
    assert ended.code == 2
    assert "google-1 has no price" in ended.err
    assert not world.apps["google"].seen


def test_calls_in_batches_cost_half_and_are_scored_as_ever(world: World) -> None:
    world.start()
    world.write_models()
    ended = world.evalcli("evaluate", SLUG, "--replicates", "3", "--batch", "--json")
    assert ended.code == 0, ended.err
    assert "google takes no batches" in ended.err
    records = {record["provider"]: record for record in json.loads(ended.out)}
    assert {kind: record["accuracy"]["mean"] for kind, record in records.items()} == dict.fromkeys(KINDS, 1.0)
    for kind in ("anthropic", "openai"):
        tokens = records[kind]["tokens"]
        full = (tokens["prompt"] * 1.0 + tokens["completion"] * 10.0) / 1e6
        assert records[kind]["cost_usd"] == pytest.approx(full / 2)
        assert world.apps[kind].desk.made == 1
    hosts = {seen.headers["host"].split(":")[0] for kind in KINDS for seen in world.apps[kind].seen}
    assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_a_batch_that_was_left_is_waited_for_and_not_paid_again(world: World, kind: str) -> None:
    world.start(batch_looks=3)
    world.write_models((kind,))
    process = subprocess.Popen(
        [*EVALCLI, "evaluate", SLUG, "--replicates", "2", "--batch"],
        cwd=world.library,
        env=os.environ | KEYS,
        stderr=subprocess.PIPE,
        text=True,
    )
    runs = world.library / ".evaluator" / "runs"
    deadline = time.monotonic() + 60
    while not list(runs.glob("batches-*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "--batch" in said
    (run,) = runs.glob("*/run.json")
    ended = world.evalcli("evaluate", SLUG, "--resume", str(run.parent), "--json")
    assert ended.code == 0, ended.err
    (record,) = json.loads(ended.out)
    assert record["calls"]["ok"] == record["calls"]["total"]
    assert world.apps[kind].desk.made == 1


def test_a_parameter_that_is_refused_in_a_batch_skips_the_run(world: World) -> None:
    world.start(is_reasoning=True)
    world.write_models(("anthropic",), params={"temperature": 0.5})
    ended = world.evalcli("evaluate", SLUG, "--replicates", "2", "--batch", COLUMNS="300")
    assert "refuses the parameter `temperature`" in ended.out + ended.err
    assert ended.code != 0


def test_where_every_model_refuses_the_reason_is_said_and_no_run_is_left_behind(world: World) -> None:
    world.start(is_reasoning=True)
    world.write_models(params={"temperature": 0.5})
    ended = world.evalcli("evaluate", SLUG, "--replicates", "3")
    assert ended.code == 3
    for kind in KINDS:
        assert f"{kind}-1: skipped: {kind}-1: the model refuses the parameter `temperature`" in ended.err
    assert "says what each model refuses" in ended.err
    assert not list((world.library / ".evaluator" / "runs").glob("*/run.json"))


def test_models_check_finds_answers_that_are_longer_than_the_provider_gives(world: World) -> None:
    world.start(most_tokens=500)
    world.write_models(("anthropic", "google"), params={"max_tokens": 1000})
    ended = world.evalcli("models", "check", COLUMNS="500")
    assert ended.code == 1
    assert ended.out.count("ask for answers of 1,000 tokens, and 500 is the most") == 2
