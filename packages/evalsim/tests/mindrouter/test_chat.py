"""POST /v1/chat/completions: every fault, answered whole and streamed; the order of the checks."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import httpx
import pytest

from evalsim.documents import images
from evalsim.documents.pdf import text_pdf
from evalsim.mindrouter import AnswerBook, Expected, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import ConnectionCut

ANSWER = {"kind": "memo", "pages": 3}
BOOK = AnswerBook({"input": Expected(value=ANSWER, is_json=True)})
CHAT = "/v1/chat/completions"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


class Scene:
    def __init__(self, *faults, **config):
        self.clock = Clock()
        models = config.pop("models", (SimModel(id="m"),))
        settings = SimConfig(models=models, faults=faults, **config)
        self.app = SimulatedMindRouter(settings, BOOK, clock=self.clock, sleep=self.clock.sleep)

    def ask(self, *, key="mr2_any", path=CHAT, headers=None, **fields):
        """Send a chat request; None where the connection was cut."""

        async def asked():
            transport = httpx.ASGITransport(self.app)
            given = {"Authorization": f"Bearer {key}"} if key else {}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://sim", headers=given | (headers or {})
            ) as client:
                body = {"model": "m", "messages": [{"role": "user", "content": "input"}]} | fields
                try:
                    return await client.post(path, json=body)
                except ConnectionCut:
                    return None

        return asyncio.run(asked())


def content(answer):
    return json.loads(answer.json()["choices"][0]["message"]["content"])


def events(answer):
    return [part.removeprefix("data: ") for part in answer.text.split("\n\n") if part]


def test_an_answer_is_the_expected_one():
    answer = Scene().ask()
    assert (answer.status_code, content(answer)) == (200, ANSWER)
    body = answer.json()
    assert (body["object"], body["model"]) == ("chat.completion", "m")
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (
        body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    )
    assert body["usage"]["is_estimated"] is False


@pytest.mark.parametrize(
    ("kind", "status", "detail"),
    [
        ("rate_limited", 429, "Rate limit exceeded: 60 requests per minute (current: 60)"),
        ("quota", 429, "Token quota exceeded"),
        ("no_capacity", 503, "No backend capacity available (waited 150.0s)"),
        ("unsuitable", 503, "No suitable backend: All backends failed constraints: model_not_available"),
        ("unauthorized", 401, "Invalid API key"),
        ("no_structured_content", 422, "Structured output was requested but the model returned no content"),
    ],
)
def test_a_refusal_has_its_status_and_its_words(kind, status, detail):
    answer = Scene(Fault(kind=kind)).ask()
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("context_length", 400, "context_length_exceeded"),
        ("backend_400", 400, 400),
        ("backend_429", 429, 429),
        ("gone", 404, "model_not_found"),
    ],
)
def test_a_failure_behind_the_gateway_comes_under_detail(kind, status, code):
    answer = Scene(Fault(kind=kind)).ask()
    assert (answer.status_code, answer.json()["detail"]["error"]["code"]) == (status, code)


def test_what_the_data_policy_refuses_stands_in_an_envelope_of_its_own():
    answer = Scene(Fault(kind="content_refused")).ask()
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("dlp_policy_violation", "dlp_blocked")


def test_a_backends_own_words_may_be_given():
    answer = Scene(Fault(kind="backend_400", text="temperature must be 0")).ask()
    assert answer.json()["detail"]["error"]["message"] == "temperature must be 0"


def test_a_server_error_has_neither_detail_nor_request_id():
    answer = Scene(Fault(kind="server_error")).ask()
    assert answer.status_code == 500
    assert answer.json() == {"error": {"message": "Internal server error", "type": "server_error"}}
    assert "x-request-id" not in answer.headers


def test_a_bad_gateway_names_an_internal_host_and_opens_the_breaker():
    scene = Scene(Fault(kind="bad_gateway", times=1))
    answer = scene.ask()
    assert answer.status_code == 502
    assert answer.json()["detail"].startswith("All 3 backend attempts failed. Last error: ")
    assert scene.ask().status_code == 404
    scene.clock.now += 25
    assert scene.ask().status_code == 200


@pytest.mark.parametrize("kind", ["empty", "garbage"])
def test_a_200_may_hold_no_json(kind):
    answer = Scene(Fault(kind=kind)).ask()
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("kind", ["hang_up", "cut", "stalled"])
def test_a_connection_may_be_cut(kind):
    assert Scene(Fault(kind=kind)).ask() is None


@pytest.mark.parametrize(
    ("kind", "stream"),
    [
        *((kind, stream) for kind in ("server_error", "empty", "garbage", "cut") for stream in (False, True)),
        *(("error_event", True), ("no_events", True)),
    ],
)
def test_requests_are_counted_by_their_bodies_and_apart_those_answered_to_the_end(kind, stream):
    scene = Scene(Fault(kind=kind, times=1))
    for number in (1, 1, 2):
        scene.ask(stream=stream, n=number)
    gateway = scene.app.gateway
    assert sorted(gateway.requests.values()) == [1, 2]
    assert sorted(gateway.answered.values()) == [1, 1]
    assert gateway.answered.keys() == gateway.requests.keys()


def test_a_slow_answer_is_so_many_seconds_late():
    scene = Scene(Fault(kind="slow", seconds=30), models=(SimModel(id="m", latency=2),))
    assert scene.ask().status_code == 200
    assert scene.clock.now == 32


# Streams


def test_a_stream_holds_the_same_answer_and_ends():
    answer = Scene().ask(stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = events(answer)
    assert found[-1] == "[DONE]"
    chunks = [json.loads(event) for event in found[:-1]]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
    assert json.loads(text) == ANSWER
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant"}
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_without_being_asked_for_usage_is_not_streamed():
    assert "usage" not in Scene().ask(stream=True).text


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("no_capacity", 503),
        ("bad_gateway", 502),
        ("server_error", 500),
        ("unsuitable", 503),
        ("content_refused", 422),
        ("backend_400", 400),
        ("backend_429", 429),
        ("context_length", 400),
    ],
)
def test_what_fails_in_a_stream_is_an_event_in_a_200(kind, status):
    answer = Scene(Fault(kind=kind)).ask(stream=True)
    assert answer.status_code == 200
    error, done = events(answer)
    assert json.loads(error)["error"]["code"] == status
    assert json.loads(error)["error"]["type"] == "backend_error"
    assert done == "[DONE]"


@pytest.mark.parametrize("kind", ["rate_limited", "quota", "hang_up", "empty", "cut"])
def test_a_stream_may_be_cut_without_a_word(kind):
    assert Scene(Fault(kind=kind)).ask(stream=True) is None


def test_checks_before_the_stream_have_their_own_status():
    assert Scene(Fault(kind="unauthorized")).ask(stream=True).status_code == 401
    assert Scene(Fault(kind="gone")).ask(stream=True).status_code == 404
    assert Scene().ask(stream=True, model="nothing").status_code == 404


def test_an_error_may_come_in_the_middle_of_an_answer():
    found = events(Scene(Fault(kind="error_event")).ask(stream=True))
    assert len(found) > 3
    assert json.loads(found[-2])["error"]["code"] == 500
    assert found[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("kind", "has_done", "has_finish"), [("no_done", False, True), ("no_finish", True, False)]
)
def test_a_stream_may_lack_one_of_its_ends(kind, has_done, has_finish):
    text = Scene(Fault(kind=kind)).ask(stream=True).text
    assert ("[DONE]" in text) is has_done
    assert ("finish_reason" in text) is has_finish


def test_a_stream_without_an_event_keeps_its_slot_for_ever():
    scene = Scene(Fault(kind="no_events", times=1), models=(SimModel(id="m", slots=1),), slot_seconds=0.01)
    assert scene.ask(stream=True).text == ""
    refused = events(scene.ask(stream=True))
    assert json.loads(refused[0])["error"]["message"] == "No backend capacity available (waited 0.0s)"


def test_a_pause_comes_in_the_middle_and_the_answer_is_whole():
    scene = Scene(Fault(kind="pause", seconds=60))
    assert "[DONE]" in scene.ask(stream=True).text
    assert scene.clock.now == 60


def test_of_no_choices_only_the_end_is_streamed():
    assert events(Scene(Fault(kind="no_choices")).ask(stream=True)) == ["[DONE]"]
    assert Scene(Fault(kind="no_choices")).ask().json()["choices"] == []


def test_garbage_is_an_event_that_is_no_json():
    assert events(Scene(Fault(kind="garbage")).ask(stream=True)) == ["<html>Bad gateway</html>"]


# The gateway's checks


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        ("", "Missing API key. Provide via 'Authorization: Bearer <key>' or 'X-API-Key: <key>'"),
        ("mr2_wrong", "Invalid API key"),
        ("mr2_old", "API key is revoked"),
    ],
)
def test_a_key_that_is_not_accepted_is_refused_before_the_body_is_read(key, detail):
    scene = Scene(keys=("mr2_good", "mr2_old"), revoked_keys=("mr2_old",))
    answer = scene.ask(key=key, messages="nonsense")
    assert (answer.status_code, answer.json()["detail"]) == (401, detail)
    assert scene.ask(key="mr2_good").status_code == 200


def test_a_key_may_stand_in_another_header():
    scene = Scene(keys=("mr2_good",))
    assert scene.ask(key="", headers={"X-API-Key": "mr2_good"}).status_code == 200


def test_a_foreign_origin_is_refused_before_the_key():
    answer = Scene().ask(key="", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "CSRF origin check failed"
    assert Scene().ask(headers={"Origin": "http://sim"}).status_code == 200


@pytest.mark.parametrize("model", ["nothing", "", "M"])
def test_a_model_that_is_not_served_is_not_found_or_unsuitable(model):
    answer = Scene().ask(model=model)
    assert answer.status_code == (503 if model == "M" else 404)


def test_an_alias_answers_as_its_model():
    scene = Scene(models=(SimModel(id="m"), SimModel(id="also", alias_target="m")))
    answer = scene.ask(model="also")
    assert (answer.status_code, answer.json()["model"]) == (200, "m")
    assert scene.app.gateway.calls == {"m": 1}


def test_a_prompt_that_is_too_long_for_the_context_is_refused_with_its_numbers():
    scene = Scene(models=(SimModel(id="m", context_length=300),))
    answer = scene.ask(messages=[{"role": "user", "content": "x" * 4000}])
    error = answer.json()["detail"]["error"]
    assert answer.status_code == 400
    assert error["message"].startswith("This model's maximum context length is 300 tokens.")
    assert "1000 in the messages, 256 in the completion" in error["message"]


def test_null_content_is_an_error_only_where_structure_was_asked_for():
    fault = Fault(kind="null_content")
    assert Scene(fault).ask().json()["choices"][0]["message"]["content"] is None
    assert Scene(fault).ask(response_format={"type": "json_object"}).status_code == 422


def test_counting_tokens_costs_a_request():
    scene = Scene(requests_per_minute=1)
    counted = scene.ask(path="/v1/tokenize")
    assert counted.json() == {"count": 2, "max_model_len": 131072, "is_estimate": False}
    assert scene.ask().status_code == 429


def test_requests_are_kept_to_be_looked_at():
    scene = Scene()
    scene.ask(headers={"X-Request-ID": "abc"})
    (seen,) = scene.app.seen
    assert (seen.method, seen.path, seen.headers["x-request-id"]) == ("POST", CHAT, "abc")


def with_picture(address):
    parts = [{"type": "text", "text": ""}, {"type": "image_url", "image_url": {"url": address}}]
    return [{"role": "user", "content": parts}]


def data_uri(document, kind="image/png"):
    return f"data:{kind};base64,{b64encode(document).decode()}"


def test_a_model_that_sees_answers_by_what_it_is_shown():
    scene = Scene(models=(SimModel(id="m", multimodal=True),))
    assert content(scene.ask(messages=with_picture(data_uri(images.png("input"))))) == ANSWER


def test_a_file_is_looked_at_as_an_image_is():
    scene = Scene(models=(SimModel(id="m", multimodal=True),))
    file = {"filename": "input.pdf", "file_data": data_uri(text_pdf(["input"]), "application/pdf")}
    messages = [{"role": "user", "content": [{"type": "file", "file": file}]}]
    assert content(scene.ask(messages=messages)) == ANSWER


def test_an_image_for_a_model_that_takes_none_is_refused():
    answer = Scene().ask(messages=with_picture(data_uri(images.png("input"))))
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Model 'm' does not support multimodal/image input"


def test_an_image_at_an_address_is_dropped_without_a_word():
    assert Scene().ask(messages=with_picture("http://127.0.0.1:9/x.png")).status_code == 200
