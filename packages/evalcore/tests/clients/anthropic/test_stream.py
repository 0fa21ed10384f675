"""A streamed message of Anthropic's: whole only with its last event, whatever is sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.anthropic.stream import StreamedMessage
from evalcore.clients.failures import Failure
from evalcore.clients.reply import Answer, Usage
from evalcore.structs import JsonObject, JsonValue


def event(kind: str, **fields: JsonValue) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n"


def start(**usage: JsonValue) -> str:
    return event("message_start", message={"type": "message", "role": "assistant", "usage": dict(usage)})


def block(index: int = 0, **content: JsonValue) -> str:
    return event("content_block_start", index=index, content_block=dict(content))


def delta(index: int = 0, **change: JsonValue) -> str:
    return event("content_block_delta", index=index, delta=dict(change))


def words(text: str, index: int = 0) -> str:
    return delta(index, type="text_delta", text=text)


def end(reason: str | None = "end_turn", **usage: JsonValue) -> str:
    counts: JsonObject = dict(usage)
    return event("message_delta", delta={"stop_reason": reason}, usage=counts) + event("message_stop")


def read(stream: bytes) -> Answer | Failure:
    streamed = StreamedMessage()
    streamed.feed(stream)
    return streamed.end()


def test_a_reason_to_stop_without_the_last_event_is_no_whole_answer() -> None:
    text = start() + words("a") + event("message_delta", delta={"stop_reason": "end_turn"}, usage={})
    outcome = read(text.encode())
    assert isinstance(outcome, Failure)
    assert outcome.code == "connection_lost"


def test_what_follows_the_last_event_changes_nothing() -> None:
    text = start() + words("a") + end() + words("more") + event("error")
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=None)


def test_a_model_has_begun_with_its_first_event_and_not_with_a_ping() -> None:
    streamed = StreamedMessage()
    streamed.feed(event("ping").encode())
    assert not streamed.has_begun
    streamed.feed(start().encode())
    assert streamed.has_begun


def test_counts_are_sums_so_far_and_a_later_one_replaces_them() -> None:
    text = (
        start(input_tokens=10, output_tokens=1)
        + words("a")
        + end(input_tokens=12, output_tokens=50, output_tokens_details={"thinking_tokens": 40})
    )
    assert read(text.encode()) == Answer(
        text="a", finish_reason="stop", usage=Usage(prompt=12, completion=50, thinking=40)
    )


def test_a_later_null_takes_no_count_back() -> None:
    text = start(input_tokens=10, cache_read_input_tokens=4) + words("a")
    text += end(input_tokens=None, cache_read_input_tokens=None, output_tokens=2)
    assert read(text.encode()) == Answer(
        text="a", finish_reason="stop", usage=Usage(prompt=14, completion=2, cache_read=4)
    )


@pytest.mark.parametrize("usage", [{"output_tokens": -3}, {"output_tokens": "x"}, {"output_tokens": 2**70}])
def test_counts_that_cannot_be_are_none_and_the_answer_beside_them_stands(usage: JsonObject) -> None:
    text = start(input_tokens=10) + words("a") + end(**usage)
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=None)


def test_the_pieces_of_a_tools_input_are_the_answer() -> None:
    text = (
        start()
        + block(0, type="text", text="")
        + words("Here: ", 0)
        + block(1, type="tool_use", id="t", name="answer", input={})
        + delta(1, type="input_json_delta", partial_json="")
        + delta(1, type="input_json_delta", partial_json='{"a":')
        + delta(1, type="input_json_delta", partial_json=" 1.50}")
        + end("tool_use")
    )
    assert read(text.encode()) == Answer(text='{"a": 1.50}', finish_reason="tool_use", usage=None)


def test_a_tool_that_is_called_with_nothing_has_an_empty_object_as_its_input() -> None:
    text = start() + block(0, type="tool_use", id="t", name="answer", input={}) + end("tool_use")
    assert read(text.encode()) == Answer(text="{}", finish_reason="tool_use", usage=None)


def test_what_came_before_a_refusal_is_no_answer() -> None:
    text = start() + words("Sure, ") + end("refusal")
    assert read(text.encode()) == Answer(text=None, finish_reason="refusal", usage=None)


@pytest.mark.parametrize(
    ("kind", "code", "retry"),
    [
        ("overloaded_error", "no_capacity", True),
        ("api_error", "server_error", True),
        ("timeout_error", "server_error", True),
        ("rate_limit_error", "rate_limited", True),
        ("billing_error", "quota_exceeded", False),
        ("authentication_error", "unauthorized", False),
        ("a_new_error", "server_error", True),
    ],
)
def test_an_error_in_the_stream_means_what_its_kind_says_though_text_came_before(kind, code, retry) -> None:
    text = start() + words("a") + event("error", error={"type": kind, "message": "oops"})
    outcome = read(text.encode())
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.retry) == (code, retry)


def test_events_and_deltas_that_nobody_knows_are_passed_over() -> None:
    text = start() + event("news", delta={"text": "x"}) + delta(type="citations_delta", citation={})
    text += words("a") + end()
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=None)


def test_an_event_that_is_no_json_is_unreadable() -> None:
    outcome = read((start() + "data: {not json\n\n" + words("a") + end()).encode())
    assert isinstance(outcome, Failure)
    assert outcome.code == "unreadable_answer"


EVENTS = st.sampled_from(
    [
        start(input_tokens=1),
        block(0, type="text", text="x"),
        block(0, type="tool_use"),
        words("a"),
        delta(3, type="input_json_delta", partial_json="{"),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1}),
        event("message_delta", delta=None, usage=None),
        event("error", error="x"),
        event("error"),
        event("message_stop"),
        "data: null\n\n",
        "data: []\n\n",
        "data: 7\n\n",
        ": comment\n\n",
    ]
)


@given(st.lists(EVENTS, max_size=10))
def test_events_in_any_order_give_an_answer_with_the_last_event_alone(events: list[str]) -> None:
    outcome = read("".join(events).encode())
    if isinstance(outcome, Answer):
        assert event("message_stop") in events
