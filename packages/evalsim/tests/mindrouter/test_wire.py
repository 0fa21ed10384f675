"""Bodies as MindRouter writes them: lists, status, errors, events."""

from __future__ import annotations

import json

import pytest

from evalsim.mindrouter import wire
from evalsim.mindrouter.config import SimConfig, SimModel
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.replies import ModelReply

REPLY = ModelReply("hello", None, "stop", (1, 2))


def gateway(*models, **config):
    return Gateway(SimConfig(models=models or (SimModel(id="m"),), **config), lambda: 0.0)


def test_a_listed_model_says_what_it_is_and_where_it_runs():
    model = SimModel(id="google/gemma-3", context_length=8192, quantization="q4", backends=("a", "b"))
    (listed,) = json.loads(wire.models(gateway(model)))["data"]
    assert (listed["id"], listed["object"], listed["owned_by"]) == ("google/gemma-3", "model", "mindrouter")
    assert (listed["context_length"], listed["quantization"], listed["backends"]) == (8192, "q4", ["a", "b"])
    assert listed["capabilities"]["multimodal"] is True
    assert listed["is_alias"] is listed["alias_target"] is None


def test_an_alias_is_listed_with_what_stands_behind_it():
    found = gateway(SimModel(id="m", context_length=99), SimModel(id="also", alias_target="m"))
    alias = json.loads(wire.models(found))["data"][1]
    assert (alias["id"], alias["is_alias"], alias["alias_target"], alias["context_length"]) == (
        "also",
        True,
        "m",
        99,
    )


def test_a_model_that_is_away_is_neither_listed_nor_healthy():
    found = gateway(SimModel(id="m"), SimModel(id="n", backends=("other",)))
    found.trip("m", 60)
    assert [model["id"] for model in json.loads(wire.models(found))["data"]] == ["n"]
    status = json.loads(wire.status(found))
    assert (status["models"], status["backends"]) == (["n"], {"total": 2, "healthy": 1})


def test_the_status_says_the_version_and_who_waits():
    found = gateway(version="2.9.58")
    with found.waiting("m"):
        status = json.loads(wire.status(found))
    assert (status["service"], status["version"]) == ("MindRouter", "2.9.58")
    assert status["queue"]["by_model"] == {"m": 1}
    assert json.loads(wire.status(found))["queue"] == {
        "total": 0, "by_user": {}, "by_model": {}, "average_wait_seconds": 0.0,
    }  # fmt: skip


def test_it_is_alive_and_never_ready():
    assert json.loads(wire.alive())["status"] == "alive"
    ready = json.loads(wire.ready(gateway()))
    assert (ready["status"], ready["checks"]) == ("not_ready", {"database": False, "backends": True})


@pytest.mark.parametrize(
    ("reply", "has"),
    [
        (REPLY, {"reasoning": False, "usage": True, "choices": 1}),
        (ModelReply(None, "why", "length", None), {"reasoning": True, "usage": False, "choices": 1}),
        (
            ModelReply("x", None, "stop", (0, 0), has_choices=False),
            {"reasoning": False, "usage": True, "choices": 0},
        ),
    ],
)
def test_a_whole_answer_leaves_out_what_there_is_not_but_its_content(reply, has):
    body = json.loads(wire.completion(reply, "m"))
    assert len(body["choices"]) == has["choices"]
    assert ("usage" in body) is has["usage"]
    for choice in body["choices"]:
        assert choice["message"]["content"] == reply.text
        assert ("reasoning_content" in choice["message"]) is has["reasoning"]
        assert choice["finish_reason"] == reply.finish_reason
    assert not body["id"].startswith("chatcmpl-")


@pytest.mark.parametrize("characters", [1, 2, 4, 100])
def test_events_hold_the_text_in_pieces(characters):
    events = list(wire.EventWriter("m").events(REPLY, characters, has_usage=False))
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in events]
    assert all(event.endswith(b"\n\n") for event in events)
    pieces = [chunk["choices"][0]["delta"]["content"] for chunk in chunks[1:-1]]
    assert "".join(pieces) == "hello"
    assert max(map(len, pieces)) <= characters
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["id"].startswith("chatcmpl-")


def test_reasoning_comes_before_the_answer():
    reply = ModelReply("x", "why", "stop", None)
    chunks = [json.loads(event[6:]) for event in wire.EventWriter("m").events(reply, 4, has_usage=True)]
    assert [list(chunk["choices"][0]["delta"]) for chunk in chunks] == [
        ["role"],
        ["reasoning_content"],
        ["content"],
        [],
    ]


def test_an_error_in_a_stream_is_written_with_spaces_and_ends_it():
    event = wire.error_event(502, 'All "3" failed\n')
    assert event.endswith(wire.DONE)
    assert event.startswith(b'data: {"error": {"message": "All \\"3\\" failed\\n", "type": "backend_error"')
    assert json.loads(event.split(b"\n\n")[0][6:])["error"]["code"] == 502


def test_a_model_that_does_not_exist_is_named():
    assert json.loads(wire.model_not_found("x"))["detail"]["error"] == {
        "message": "The model 'x' does not exist",
        "type": "invalid_request_error",
        "code": "model_not_found",
    }


def test_figures_are_text_that_prometheus_reads():
    lines = wire.metrics(gateway()).decode().splitlines()
    assert lines[0].startswith("# HELP ")
    assert all(line.startswith("#") or " " in line for line in lines)
