"""The simulated providers of the cloud: each answers, refuses and fails in its own form."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import httpx
import pytest

from evalsim.cloud.app import SimulatedCloud
from evalsim.cloud.config import CloudConfig, CloudFault, CloudModel
from evalsim.documents.images import png
from evalsim.documents.pdf import text_pdf
from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.serving import ConnectionCut

BOOK = AnswerBook({"input": Expected({"a": 1}, is_json=True)})
KINDS = ("anthropic", "openai", "google")
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


def call_of(kind, *, stream=False, model="m", user="input", **fields):
    """Return the path, the headers and the body of a call as the provider documents them."""
    if kind == "anthropic":
        body = {
            "model": model,
            "max_tokens": 100,
            "messages": [{"role": "user", "content": user}],
            "stream": stream,
        }
        return "/v1/messages", {"x-api-key": "k", "anthropic-version": "2023-06-01"}, body | fields
    if kind == "openai":
        body = {"model": model, "messages": [{"role": "user", "content": user}], "stream": stream}
        return "/v1/chat/completions", {"authorization": "Bearer k"}, body | fields
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": user}]}]}
    return f"/v1beta/models/{model}:{verb}", {"x-goog-api-key": "k"}, body | fields


class Scene:
    def __init__(self, kind, *faults, **config):
        self.kind, self.clock = kind, Clock()
        models = config.pop("models", (CloudModel(id="m"),))
        settings = CloudConfig(models=models, faults=faults, **config)
        self.app = SimulatedCloud(kind, settings, BOOK, clock=self.clock, sleep=self.clock.sleep)

    def send(self, method, path, **options):
        async def sent():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sim") as client:
                try:
                    return await client.request(method, path, **options)
                except ConnectionCut:
                    return None

        return asyncio.run(sent())

    def call(self, *, key="k", without=(), **fields):
        path, headers, body = call_of(self.kind, **fields)
        headers = {
            name: value.replace("k", key) if value.endswith("k") else value for name, value in headers.items()
        }
        return self.send(
            "POST", path, headers=headers, json={n: v for n, v in body.items() if n not in without}
        )


def text_of(kind, body):
    if kind == "anthropic":
        return "".join(block.get("text", "") for block in body["content"])
    if kind == "openai":
        return body["choices"][0]["message"]["content"]
    return "".join(part.get("text", "") for part in body["candidates"][0]["content"].get("parts", []))


def message_of(answer):
    return answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_the_expected_one_in_the_providers_form(kind):
    answer = Scene(kind).call()
    assert answer.status_code == 200
    assert json.loads(text_of(kind, answer.json())) == {"a": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_are_listed(kind):
    path = "/v1beta/models" if kind == "google" else "/v1/models"
    listed = Scene(kind).send("GET", path, headers=call_of(kind)[1]).json()
    (model,) = listed["models" if kind == "google" else "data"]
    assert model.get("id", model.get("name", "")).removeprefix("models/") == "m"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_holds_the_same_answer(kind):
    answer = Scene(kind).call(stream=True)
    assert answer.headers["content-type"] == "text/event-stream"
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    if kind == "anthropic":
        text = "".join(
            chunk["delta"].get("text", "") for chunk in chunks if chunk["type"] == "content_block_delta"
        )
        assert [chunks[0]["type"], chunks[-1]["type"]] == ["message_start", "message_stop"]
    elif kind == "openai":
        text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
        assert events[-1] == "[DONE]"
    else:
        text = "".join(text_of(kind, chunk) for chunk in chunks)
    assert json.loads(text) == {"a": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_is_missing_or_wrong_is_refused(kind):
    scene = Scene(kind, keys=("k",))
    assert scene.call().status_code == 200
    for key in ("", "other"):
        assert scene.call(key=key).status_code == (400 if kind == "google" else 401)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_not_there_is_not_found(kind):
    assert Scene(kind).call(model="other").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_not_known_is_refused_by_name(kind):
    answer = Scene(kind).call(made_up=1)
    assert answer.status_code == 400
    assert "made_up" in message_of(answer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_no_json_object_is_refused(kind):
    path, headers, _ = call_of(kind)
    for body in (b"{", b"[]", b"7"):
        assert Scene(kind).send("POST", path, headers=headers, content=body).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_without_a_message_is_refused(kind):
    name = "contents" if kind == "google" else "messages"
    assert Scene(kind).call(**{name: []}).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_that_is_no_call_is_not_found(kind):
    assert Scene(kind).send("POST", "/v1/nothing", headers=call_of(kind)[1]).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("rate_limited", (429, 429, 429)),
        ("overloaded", (529, 503, 503)),
        ("server_error", (500, 500, 500)),
        ("context", (400, 400, 400)),
        ("quota", (402, 429, 429)),
    ],
)
def test_each_refusal_has_the_providers_status(kind, fault, statuses):
    answer = Scene(kind, CloudFault(kind=fault)).call()
    assert answer.status_code == statuses[KINDS.index(kind)]
    assert message_of(answer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_limit_says_when_to_come_back(kind):
    answer = Scene(kind, CloudFault(kind="rate_limited", seconds=7)).call()
    asked = answer.headers.get("retry-after") or json.dumps(answer.json())
    assert "7" in asked


@pytest.mark.parametrize("kind", KINDS)
def test_calls_over_the_limit_are_refused_until_it_has_filled_again(kind):
    scene = Scene(kind, requests_per_minute=2)
    assert [scene.call().status_code for _ in range(3)] == [200, 200, 429]
    assert scene.app.refused_for_rate == 1
    scene.clock.now += 30
    assert scene.call().status_code == 200


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_what_is_left_of_the_limit_stands_in_the_headers(kind):
    headers = Scene(kind, requests_per_minute=60).call().headers
    name = "anthropic-ratelimit-requests-{}" if kind == "anthropic" else "x-ratelimit-{}-requests"
    assert headers[name.format("limit")] == "60"
    assert headers[name.format("remaining")] == "59"
    assert headers[name.format("reset")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [True, False])
def test_a_connection_may_be_cut(kind, stream):
    assert Scene(kind, CloudFault(kind="cut")).call(stream=stream) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_200_may_hold_no_json(kind):
    with pytest.raises(json.JSONDecodeError):
        Scene(kind, CloudFault(kind="garbage")).call().json()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_of_each_kth_call_so_many_times_and_of_one_model(kind):
    models = (CloudModel(id="m"), CloudModel(id="n"))
    scene = Scene(kind, CloudFault(kind="server_error", model="m", every=2, times=1), models=models)
    asked = [scene.call(model=name).status_code for name in ("m", "n", "n", "m", "m", "m")]
    assert asked == [200, 200, 200, 500, 200, 200]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reasoning_model_takes_no_temperature(kind):
    scene = Scene(kind, models=(CloudModel(id="m", is_reasoning=True),))
    fields = {"generationConfig": {"temperature": 0.1}} if kind == "google" else {"temperature": 0.1}
    answer = scene.call(**fields)
    assert answer.status_code == 400
    assert "temperature" in message_of(answer)


def test_anthropic_wants_its_version_and_a_limit():
    path, headers, body = call_of("anthropic")
    del headers["anthropic-version"]
    assert Scene("anthropic").send("POST", path, headers=headers, json=body).status_code == 400
    answer = Scene("anthropic").call(without=("max_tokens",))
    assert message_of(answer) == "max_tokens: Field required"


def test_anthropic_answers_through_a_tool_that_is_forced():
    tool = {"name": "answer", "input_schema": SCHEMA}
    answer = Scene("anthropic").call(tools=[tool], tool_choice={"type": "tool", "name": "answer"})
    (block,) = answer.json()["content"]
    assert (block["type"], block["input"]) == ("tool_use", {"a": 1})
    assert Scene("anthropic").call(tools=[], tool_choice={"type": "tool"}).status_code == 400


def test_openai_wants_the_word_json_for_json_and_streams_for_their_options():
    wanted = {"response_format": {"type": "json_object"}}
    assert Scene("openai").call(**wanted).status_code == 400
    assert Scene("openai").call(user="input as JSON", **wanted).status_code == 200
    assert Scene("openai").call(stream_options={"include_usage": True}).status_code == 400


def test_google_wants_the_type_of_what_has_a_schema():
    config = {"responseJsonSchema": SCHEMA}
    assert Scene("google").call(generationConfig=config).status_code == 400
    config["responseMimeType"] = "application/json"
    assert Scene("google").call(generationConfig=config).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_requests_are_kept_to_be_looked_at(kind):
    scene = Scene(kind)
    scene.call()
    (seen,) = scene.app.seen
    assert b"input" in seen.body
    assert "k" in "".join(seen.headers.values())


PAGE = png("input")


def shown(kind, document, media):
    """A message that holds a document, as the provider documents it."""
    text = b64encode(document).decode()
    if kind == "anthropic":
        source = {"type": "base64", "media_type": media, "data": text}
        block = {"type": "image" if media.startswith("image/") else "document", "source": source}
        return {"messages": [{"role": "user", "content": [block]}]}
    if kind == "openai":
        part = {"type": "file", "file": {"filename": "input.pdf", "file_data": f"data:{media};base64,{text}"}}
        if media.startswith("image/"):
            part = {"type": "image_url", "image_url": {"url": f"data:{media};base64,{text}"}}
        return {"messages": [{"role": "user", "content": [part]}]}
    return {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": media, "data": text}}]}]}


@pytest.mark.parametrize(
    ("document", "media"), [(PAGE, "image/png"), (text_pdf(["input"]), "application/pdf")]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_is_shown_is_answered_by_what_stands_on_it(kind, document, media):
    answer = Scene(kind).call(**shown(kind, document, media))
    assert answer.status_code == 200
    assert json.loads(text_of(kind, answer.json())) == {"a": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_another_kind_is_refused(kind):
    assert Scene(kind).call(**shown(kind, PAGE, "application/zip")).status_code == 400
