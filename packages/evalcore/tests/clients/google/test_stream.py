"""A streamed answer of Google's: complete with a finish reason, since there is no end mark."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.failures import Failure
from evalcore.clients.google.stream import StreamedContent
from evalcore.clients.reply import Answer, Usage
from evalcore.structs import JsonObject, JsonValue


def event(value: JsonValue) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\r\n\r\n"


def piece(*texts: str, reason: str | None = None, thought: bool = False, **usage: int) -> str:
    parts: list[JsonValue] = [{"text": text, **({"thought": True} if thought else {})} for text in texts]
    candidate: JsonObject = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    return event({"candidates": [candidate], "usageMetadata": dict(usage)})


def read(stream: bytes) -> Answer | Failure:
    streamed = StreamedContent()
    streamed.feed(stream)
    return streamed.end()


def test_a_reason_may_come_after_the_last_text_in_an_event_of_its_own() -> None:
    text = piece("a") + event({"candidates": [{"finishReason": "MAX_TOKENS"}]})
    assert read(text.encode()) == Answer(text="a", finish_reason="length", usage=None)


def test_counts_may_come_after_the_reason() -> None:
    text = piece("a", reason="STOP") + event({"usageMetadata": {"promptTokenCount": 3}})
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=Usage(prompt=3, completion=0))


@pytest.mark.parametrize("usage", [{"promptTokenCount": -3}, {"promptTokenCount": "x"}, []])
def test_counts_that_cannot_be_are_none_and_the_answer_beside_them_stands(usage: JsonValue) -> None:
    text = piece("a", reason="STOP") + event({"usageMetadata": usage})
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=None)


def test_what_a_filter_left_of_an_answer_is_none() -> None:
    text = piece("half of", promptTokenCount=3) + piece(reason="SAFETY", promptTokenCount=3)
    assert read(text.encode()) == Answer(
        text=None, finish_reason="content_filter", usage=Usage(prompt=3, completion=0)
    )


def test_a_prompt_that_was_blocked_is_declined() -> None:
    text = event({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})
    assert read(text.encode()) == Answer(
        text=None, finish_reason="content_filter", usage=Usage(prompt=3, completion=0)
    )


def test_feedback_beside_a_begun_answer_does_not_make_it_whole() -> None:
    text = event({"promptFeedback": {"blockReason": "SAFETY"}}) + piece("a")
    outcome = read(text.encode())
    assert isinstance(outcome, Failure)
    assert outcome.code == "connection_lost"


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "rate_limited"), (503, "no_capacity"), (400, "bad_request"), (0, "server_error")],
)
def test_an_error_in_the_stream_means_what_its_code_says_though_text_came_before(status, code) -> None:
    outcome = read((piece("a") + event({"error": {"code": status, "message": "oops"}})).encode())
    assert isinstance(outcome, Failure)
    assert outcome.code == code


def test_a_model_has_begun_with_its_first_thought() -> None:
    streamed = StreamedContent()
    streamed.feed(event({"usageMetadata": {}}).encode())
    assert not streamed.has_begun
    streamed.feed(piece("hm", thought=True).encode())
    assert streamed.has_begun


def test_an_event_that_is_no_json_is_unreadable() -> None:
    outcome = read((piece("a") + "data: {no\n\n" + piece("b", reason="STOP")).encode())
    assert isinstance(outcome, Failure)
    assert outcome.code == "unreadable_answer"


def test_a_stream_without_any_event_is_no_answer() -> None:
    assert isinstance(read(b""), Failure)
    assert isinstance(read(b": comment\n\n"), Failure)


EVENTS = st.sampled_from(
    [
        piece("a"),
        piece("b", reason="STOP", promptTokenCount=1),
        piece(reason="SAFETY"),
        event({"promptFeedback": {"blockReason": "OTHER"}}),
        event({"error": {}}),
        event({"error": None}),
        event([]),
        event(None),
        "data: x\n\n",
    ]
)


@given(st.lists(EVENTS, max_size=8))
def test_events_in_any_order_give_an_answer_with_a_reason_or_a_failure(events: list[str]) -> None:
    outcome = read("".join(events).encode())
    if isinstance(outcome, Answer):
        assert outcome.finish_reason in {"stop", "content_filter"}
        assert outcome.text is None or outcome.finish_reason == "stop"
