"""The simulated MindRouter: answers of a stated quality, limits, faults, and how it is controlled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import mean
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from evalsim.mindrouter import (
    AnswerBook,
    Expected,
    Fault,
    FaultKind,
    SimConfig,
    SimModel,
    SimulatedMindRouter,
    default_config,
)
from evalsim.mindrouter.command import command as mindrouter
from evalsim.serving import ConnectionCut, listen, running

INPUT = "The input."
LEAVES = {f"field {number}": f"the value of field {number}" for number in range(200)}
BOOK = AnswerBook({INPUT: Expected(value=LEAVES, is_json=True)})
CHAT = "/v1/chat/completions"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def simulated(model: SimModel | None = None, **config: Any) -> tuple[SimulatedMindRouter, Clock]:
    clock = Clock()
    models = (model or SimModel(id="m"),)
    app = SimulatedMindRouter(SimConfig(models=models, **config), BOOK, clock=clock, sleep=clock.sleep)
    return app, clock


def using(app: SimulatedMindRouter, story: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def tell() -> None:
        headers = {"Authorization": "Bearer mr2_any"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sim", headers=headers) as client:
            await story(client)

    asyncio.run(tell())


def request(*, user: str = INPUT, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": user}], **more}


def answers(model: SimModel, count: int, *, seeds: bool = True, **config: Any) -> list[dict[str, str]]:
    app, _ = simulated(model, **config)
    found: list[dict[str, str]] = []

    async def story(client: httpx.AsyncClient) -> None:
        for number in range(count):
            more = {"seed": number} if seeds else {}
            answer = await client.post(CHAT, json=request(**more))
            found.append(json.loads(answer.json()["choices"][0]["message"]["content"]))

    using(app, story)
    return found


def right(answer: dict[str, str]) -> float:
    return mean(answer[name] == value for name, value in LEAVES.items())


@pytest.mark.parametrize("quality", [0.0, 0.3, 0.8, 1.0])
def test_leaves_are_right_with_the_stated_probability(quality: float) -> None:
    got = mean(right(answer) for answer in answers(SimModel(id="m", quality=quality, noise=1.0), 10))
    assert got == pytest.approx(quality, abs=0.05)


def test_without_noise_replicates_are_the_same() -> None:
    first, second = answers(SimModel(id="m", quality=0.5), 2)
    assert first == second
    assert 0.3 < right(first) < 0.7


def test_noise_is_how_much_replicates_differ() -> None:
    def agreement(noise: float) -> float:
        first, second = answers(SimModel(id="m", quality=0.5, noise=noise), 2)
        return mean(first[name] == second[name] for name in LEAVES)

    assert agreement(0.1) > agreement(0.5) > agreement(1.0)


def test_same_seed_gives_the_same_answer() -> None:
    model = SimModel(id="m", quality=0.5, noise=0.8)
    assert answers(model, 3) == answers(model, 3)
    assert answers(model, 3, seed=1) != answers(model, 3)


def test_without_a_seed_the_calls_of_a_case_are_numbered() -> None:
    model = SimModel(id="m", quality=0.5, noise=0.8)
    assert answers(model, 3, seeds=False) == answers(model, 3, seeds=False)
    assert len({json.dumps(answer) for answer in answers(model, 3, seeds=False)}) == 3


def test_rate_limit_is_a_fixed_window_that_refused_requests_do_not_extend() -> None:
    app, clock = simulated(requests_per_minute=2)

    async def story(client: httpx.AsyncClient) -> None:
        statuses = []
        for moment in (0.0, 1.0, 2.0, 59.0, 60.0, 61.0, 62.0):
            clock.now = moment
            statuses.append((await client.post(CHAT, json=request())).status_code)
        assert statuses == [200, 200, 429, 429, 200, 200, 429]
        assert (await client.get("/v1/models")).status_code == 200

    using(app, story)


def test_token_quota_refuses_for_good_once_it_is_used_up() -> None:
    app, _ = simulated(token_quota=1)

    async def story(client: httpx.AsyncClient) -> None:
        answers = [await client.post(CHAT, json=request()) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 429, 429]
        assert answers[2].json() == {"detail": "Token quota exceeded"}

    using(app, story)


def test_refused_stream_is_an_empty_200_that_is_cut() -> None:
    app, _ = simulated(requests_per_minute=0)

    async def story(client: httpx.AsyncClient) -> None:
        with pytest.raises(ConnectionCut):
            await client.post(CHAT, json=request(stream=True))

    using(app, story)


def test_502_opens_the_circuit_breaker_until_the_model_has_recovered() -> None:
    app, clock = simulated(faults=(Fault(kind="bad_gateway", times=1),), breaker_seconds=25.0)

    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.post(CHAT, json=request())).status_code == 502
        assert (await client.post(CHAT, json=request())).status_code == 404
        assert (await client.get("/v1/models")).json()["data"] == []
        assert (await client.get("/status")).json()["backends"] == {"total": 1, "healthy": 0}
        clock.now = 25.0
        assert (await client.post(CHAT, json=request())).status_code == 200

    using(app, story)


def test_calls_beyond_the_slots_wait() -> None:
    app, clock = simulated(SimModel(id="m", slots=1, latency=2.0))

    async def story(client: httpx.AsyncClient) -> None:
        await asyncio.gather(*(client.post(CHAT, json=request()) for _ in range(3)))
        assert clock.now == 6.0

    using(app, story)


def test_every_kth_call_gets_a_fault_so_many_times() -> None:
    app, _ = simulated(faults=(Fault(kind="server_error", every=2, times=2),))

    async def story(client: httpx.AsyncClient) -> None:
        statuses = [(await client.post(CHAT, json=request())).status_code for _ in range(7)]
        assert statuses == [200, 500, 200, 500, 200, 200, 200]

    using(app, story)


def test_faults_are_set_and_cleared_over_http() -> None:
    app, _ = simulated()

    async def story(client: httpx.AsyncClient) -> None:
        added = await client.post("/sim/faults", json=[{"kind": "server_error", "model": "m"}])
        assert added.json() == {"added": 1}
        assert (await client.post(CHAT, json=request())).status_code == 500
        await client.delete("/sim/faults")
        assert (await client.post(CHAT, json=request())).status_code == 200
        assert (await client.post("/sim/faults", json=[{"kind": "unheard of"}])).status_code == 400
        state = (await client.get("/sim/state")).json()
        assert state["calls"] == {"m": 2}
        assert (list(state["requests"].values()), list(state["answered"].values())) == ([2], [1])

    using(app, story)


def test_it_counts_the_most_calls_at_one_time() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        async def most() -> int:
            return int((await client.get("/sim/state")).json()["most_in_flight"])

        assert await most() == 0
        await client.post(CHAT, json=request())
        await client.post(CHAT, json=request())
        assert await most() == 1
        await asyncio.gather(*(client.post(CHAT, json=request()) for _ in range(3)))
        assert await most() == 3

    together = asyncio.Barrier(3)
    alone = iter([True, True])

    async def sleep(_: float) -> None:
        if not next(alone, False):
            await together.wait()

    models = (SimModel(id="m", latency=1),)
    using(SimulatedMindRouter(SimConfig(models=models), BOOK, sleep=sleep), story)


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        ("fenced", lambda text: text.startswith("```json\n{") and text.endswith("}\n```")),
        ("prose", lambda text: text.startswith("Here is") and "{" in text),
        ("think_tags", lambda text: text.startswith("<think>")),
        ("broken_json", lambda text: text.endswith(",")),
        ("wrong_keys", lambda text: "field 1_value" in json.loads(text)),
        ("truncated", lambda text: text.startswith("{") and not text.endswith("}")),
    ],
)
def test_answers_are_spoilt_on_request(kind: FaultKind, shows: Callable[[str], bool]) -> None:
    app, _ = simulated(faults=(Fault(kind=kind),))

    async def story(client: httpx.AsyncClient) -> None:
        choice = (await client.post(CHAT, json=request())).json()["choices"][0]
        assert shows(choice["message"]["content"])
        assert choice["finish_reason"] == ("length" if kind == "truncated" else "stop")

    using(app, story)


def test_max_tokens_is_cut_silently_to_what_the_context_leaves() -> None:
    app, _ = simulated(SimModel(id="m", context_length=1100))

    async def story(client: httpx.AsyncClient) -> None:
        choice = (await client.post(CHAT, json=request(max_tokens=5000))).json()["choices"][0]
        assert choice["finish_reason"] == "length"
        assert len(choice["message"]["content"]) == (1100 - 1024 - 3) * 4

    using(app, story)


def test_stream_holds_the_same_text_as_the_whole_answer() -> None:
    app, _ = simulated(SimModel(id="m", quality=0.5))

    async def story(client: httpx.AsyncClient) -> None:
        whole = (await client.post(CHAT, json=request(seed=1))).json()["choices"][0]["message"]["content"]
        streamed = (await client.post(CHAT, json=request(seed=1, stream=True))).text
        events = [json.loads(event[6:]) for event in streamed.split("\n\n") if event.startswith("data: {")]
        assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == whole
        assert streamed.endswith("data: [DONE]\n\n")

    using(app, story)


def test_events_come_eight_at_a_time() -> None:
    app = SimulatedMindRouter(SimConfig(models=(SimModel(id="m", pace=0.002),)), BOOK)

    async def story(url: str) -> None:
        headers = {"Authorization": "Bearer k"}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers) as client,
            client.stream("POST", CHAT, json=request(stream=True)) as response,
        ):
            reads = [data async for data in response.aiter_raw()]
        assert reads[0].count(b"data: ") % 8 == 0

    with running(app) as url:
        asyncio.run(story(url))


def test_unknown_input_is_answered_all_the_same() -> None:
    app, _ = simulated()

    async def story(client: httpx.AsyncClient) -> None:
        answer = await client.post(CHAT, json=request(user="Never heard of."))
        assert answer.json()["choices"][0]["message"]["content"] == "I do not know this document."

    using(app, story)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_answer_book_reads_libraries_and_data_sets(tmp_path: Path) -> None:
    library, data = tmp_path / "library", tmp_path / "data"
    write(library / "components/a/prompt.md", "---\nname: A\n---\nWords.\n## Prompt\nDo A.\n")
    write(library / "components/b/prompt.md", "Do B.\n")
    for slug in "ab":
        write(library / f"components/{slug}/evals/cases/one/input.md", "Shared.\n")
        write(library / f"components/{slug}/evals/cases/one/expected.json", f'["{slug}"]')
    write(library / "components/a/evals/cases/two/input.txt", "Two.")
    write(library / "components/a/evals/cases/two/expected.md", "# Two\n")
    write(library / "components/a/evals/cases/broken/input.md", "Broken.")
    write(library / "components/a/evals/cases/broken/expected.json", "{")
    write(data / "a/cases/two/input.txt", "Two.")
    write(data / "a/cases/two/expected.md", "# Newer\n")
    write(data / "b/three/input.json", "3")
    write(data / "b/three/expected.json", "[3]")
    book = AnswerBook.from_folders([library, data])
    assert book.find("Do A.", "Shared.") == Expected(value=["a"], is_json=True)
    assert book.find("Do B.", "Shared.") == Expected(value=["b"], is_json=True)
    assert book.find("Do A.", "Two.") == Expected(value="# Newer\n", is_json=False)
    assert book.find("Do B.", "3") == Expected(value=[3], is_json=True)
    assert book.find("Do A.", "Broken.") is None


@pytest.mark.corpus
def test_answer_book_knows_the_real_library(shared_dir: Path) -> None:
    assert len(AnswerBook.from_folders([shared_dir / "prompt-library"])) >= 5


def test_default_models_differ_in_quality() -> None:
    assert len({model.quality for model in default_config().models}) >= 4


def test_configuration_is_read_back_as_it_was_written() -> None:
    config = default_config()
    assert msgspec.json.decode(msgspec.json.encode(config), type=SimConfig) == config


def test_wrong_configuration_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sim.json"
    path.write_text('{"models": [{"id": "m", "qualty": 1}]}', "utf-8")
    result = CliRunner().invoke(mindrouter, ["--config", str(path)])
    assert result.exit_code == 2
    assert "qualty" in result.output


def test_configuration_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sim.json"
    path.write_bytes(b'{"models": [{"id": "\xff"}]}')
    result = CliRunner().invoke(mindrouter, ["--config", str(path)])
    assert (result.exit_code, type(result.exception)) == (2, SystemExit)


def test_port_in_use_is_one_line() -> None:
    with listen("127.0.0.1", 0) as bound:
        port = str(bound.getsockname()[1])
        result = CliRunner().invoke(mindrouter, ["--port", port])
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.output
