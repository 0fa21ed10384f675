"""Streamed answers: complete only with a finish reason and `[DONE]`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.failures import Failure
from evalcore.clients.openai.stream import StreamedAnswer
from evalcore.clients.reply import Answer, Usage
from evalcore.structs import JsonObject, JsonValue

DONE = "data: [DONE]\n\n"


def event(value: JsonValue) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def delta(finish_reason: str | None = None, index: int = 0, **fields: JsonValue) -> str:
    choice: JsonObject = {"index": index, "delta": fields}
    if finish_reason is not None:
        choice["finish_reason"] = finish_reason
    return event({"choices": [choice]})


def usage(prompt: int, completion: int) -> str:
    counts: JsonObject = {"prompt_tokens": prompt, "completion_tokens": completion}
    return event({"choices": [], "usage": counts})


WHOLE = (
    delta(role="assistant")
    + delta(content='{"ü": ')
    + delta(content="1}\n")
    + delta("stop")
    + usage(22, 4)
    + DONE
)
ANSWER = Answer(text='{"ü": 1}\n', finish_reason="stop", usage=Usage(prompt=22, completion=4))


def read(*parts: bytes) -> Answer | Failure:
    streamed = StreamedAnswer()
    for part in parts:
        streamed.feed(part)
    return streamed.end()


def failure(text: str) -> Failure:
    outcome = read(text.encode())
    assert isinstance(outcome, Failure)
    return outcome


def test_answer_may_come_a_byte_at_a_time() -> None:
    data = WHOLE.replace("\n", "\r\n").encode()
    assert read(*(data[index : index + 1] for index in range(len(data)))) == ANSWER


def test_comments_names_and_unspaced_data_are_understood() -> None:
    text = ": keep-alive\n\nevent: message\nid: 7\n" + WHOLE.replace("data: {", "data:{")
    assert read(text.encode()) == ANSWER


def test_data_over_several_lines_is_one_event() -> None:
    text = 'data: {"choices": [{"delta": {"content": "a"},\ndata:  "finish_reason": "stop"}]}\n\n' + DONE
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=None)


def test_last_empty_line_may_be_wanting() -> None:
    assert read(WHOLE.rstrip().encode()) == ANSWER


def test_reasoning_is_not_the_answer() -> None:
    text = delta(reasoning_content="hm") + delta(content="42") + delta("stop") + DONE
    assert read(text.encode()) == Answer(text="42", finish_reason="stop", usage=None)


def test_answer_without_content_has_no_text() -> None:
    text = delta(reasoning_content="endless") + delta("length") + DONE
    assert read(text.encode()) == Answer(text=None, finish_reason="length", usage=None)


def test_only_the_first_of_several_choices_counts() -> None:
    text = delta(content="a") + delta(index=1, content="b") + delta("stop") + delta("stop", index=1) + DONE
    assert read(text.encode()) == Answer(text="a", finish_reason="stop", usage=None)


@pytest.mark.parametrize(
    "counts", ['"many"', '{"prompt_tokens": -1, "completion_tokens": 1}', "1" * 40, "9" * 5000]
)
def test_counts_that_are_none_do_not_spoil_the_answer_beside_them(counts: str) -> None:
    told = f'data: {{"choices": [], "usage": {counts}}}\n\n'
    outcome = read((delta(content="a") + delta("stop") + told + DONE).encode())
    assert outcome == Answer(text="a", finish_reason="stop", usage=None)


@pytest.mark.parametrize("name", ["x", "error", "usage"])
def test_event_nested_without_end_is_unreadable(name: str) -> None:
    depth = 100_000
    assert failure(f'data: {{"{name}": {"[" * depth}{"]" * depth}}}\n\n').code == "unreadable_answer"


def test_usage_of_zeros_is_unknown() -> None:
    outcome = read((delta(content="a") + delta("stop") + usage(0, 0) + DONE).encode())
    assert outcome == Answer(text="a", finish_reason="stop", usage=None)


@pytest.mark.parametrize(
    "text",
    [
        delta(content="half"),
        delta(content="half") + DONE,
        delta(content="all") + delta("stop"),
        delta(content="all") + delta("stop") + usage(1, 1),
        WHOLE[: WHOLE.index("[DONE]")],
        delta(content="half")[:-9],
    ],
)
def test_stream_that_is_not_complete_is_a_failure(text: str) -> None:
    broken = failure(text)
    assert broken.code in {"connection_lost", "refused_stream"}
    assert broken.retry


def test_stream_without_an_event_is_a_refusal() -> None:
    assert failure("").code == "refused_stream"
    assert failure(": waiting\n\n").code == "refused_stream"


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "{'error': {'message': 'bad thing', 'type': 'BadRequestError', 'code': 400}}", "bad_request"),
        (404, "Model 'm' not found", "model_unavailable"),
        (429, "{'error': {'message': 'overloaded', 'type': 'TooManyRequests'}}", "backend_busy"),
        (500, "Internal server error", "server_error"),
        (502, "All 3 backend attempts failed. Last error: ", "bad_gateway"),
        (503, "No backend capacity available (waited 150.0s)", "no_capacity"),
    ],
)
def test_error_event_means_what_its_status_means(status: int, message: str, code: str) -> None:
    error = event({"error": {"message": message, "type": "backend_error", "code": status}})
    assert failure(error + DONE).code == code
    assert failure(delta(content="half") + error + DONE).code == code


def test_words_inside_a_python_repr_are_taken_out() -> None:
    message = "{'error': {'message': 'bad thing', 'type': 'BadRequestError', 'param': None, 'code': 400}}"
    error = event({"error": {"message": message, "type": "backend_error", "code": 400}})
    assert failure(error).message == "the request was refused (400): bad thing"


def test_event_that_is_not_json_is_a_failure() -> None:
    assert failure("data: <html>\n\n").code == "unreadable_answer"
    assert read(b"data: \xff\xfe\n\n" + DONE.encode()) != ANSWER


def test_nothing_is_read_after_the_end() -> None:
    streamed = StreamedAnswer()
    assert streamed.feed(WHOLE.encode())
    assert streamed.feed(delta(content="more").encode())
    assert streamed.end() == ANSWER


@pytest.mark.parametrize(
    "first", [delta(role="assistant"), delta(reasoning_content="hm"), delta(content="a")]
)
def test_model_has_begun_with_its_first_choice(first: str) -> None:
    streamed = StreamedAnswer()
    streamed.feed(b": waiting for a slot\n\n")
    assert not streamed.has_begun
    streamed.feed(first.encode())
    assert streamed.has_begun


def test_unfinished_event_is_bounded() -> None:
    streamed = StreamedAnswer(longest_event=1000)
    assert not streamed.feed(b"data: " + b"x" * 900)
    assert streamed.feed(b"x" * 200)
    outcome = streamed.end()
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.fault, outcome.retry) == ("too_large", "model", False)


def test_endless_answer_is_bounded() -> None:
    streamed = StreamedAnswer(longest_answer=1000)
    fed = 0
    while not streamed.feed(delta(content="x" * 10).encode()):
        fed += 1
        assert fed < 200
    outcome = streamed.end()
    assert isinstance(outcome, Failure)
    assert outcome.code == "too_large"


def test_endless_comments_are_bounded() -> None:
    streamed = StreamedAnswer(longest_stream=1000)
    for _ in range(99):
        streamed.feed(b": still here\n\n")
    assert streamed.is_over


@pytest.mark.parametrize("blank", ["data:\n\n", "data: \n\n", "data:   \t\n\n", "data: \ndata:\n\n"])
def test_an_event_of_blanks_is_passed_over(blank: str) -> None:
    assert read((blank + WHOLE.replace("data: [DONE]", blank + "data: [DONE]")).encode()) == ANSWER
    assert failure(blank).code == "refused_stream"


@pytest.mark.parametrize(
    "done", ["data: [DONE] \n\n", "data:[DONE]\t\n\n", "data:  [DONE]  ", "data: [DONE]  \n"]
)
def test_the_end_mark_may_have_blanks_around_it(done: str) -> None:
    assert read((WHOLE.removesuffix(DONE) + done).encode()) == ANSWER


@pytest.mark.parametrize(
    "later",
    [
        event({"choices": [], "usage": None}),
        usage(0, 0),
        event({"choices": [], "usage": {"prompt_tokens": None, "completion_tokens": None}}),
        event({"choices": [], "usage": "none"}),
        event({"choices": []}),
    ],
)
def test_a_later_event_without_counts_leaves_the_usage_that_came(later: str) -> None:
    assert read((WHOLE.removesuffix(DONE) + later + DONE).encode()) == ANSWER


def test_counts_that_grow_are_the_last_ones() -> None:
    text = WHOLE.removesuffix(DONE) + usage(22, 9) + DONE
    assert read(text.encode()) == Answer(ANSWER.text, ANSWER.finish_reason, Usage(prompt=22, completion=9))


@given(st.integers(0, 8))
def test_a_byte_order_mark_loses_no_event(cut: int) -> None:
    data = b"\xef\xbb\xbf" + (delta(content="first ") + delta("stop", content="last") + DONE).encode()
    outcome = read(data[:cut], data[cut:])
    assert isinstance(outcome, Answer)
    assert outcome.text == "first last"


@pytest.mark.parametrize("start", [b"", b"\xef", b"\xef\xbb", b"\xef\xbb\xbf"])
def test_a_stream_that_ends_within_its_mark_is_no_answer(start: bytes) -> None:
    outcome = read(start)
    assert isinstance(outcome, Failure)
    assert outcome.code == "refused_stream"


def test_content_in_parts_is_the_text_parts_alone() -> None:
    parts: list[JsonValue] = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "reasoning", "text": "hm"},
        {"type": "text", "text": "a"},
        {"text": "b"},
        {"type": "output_text", "text": "c"},
        {"type": "image_url", "image_url": {"url": "data:"}},
        "d",
        {"type": "text", "text": None},
    ]
    outcome = read((delta(content=parts) + delta("stop") + DONE).encode())
    assert isinstance(outcome, Answer)
    assert outcome.text == "abcd"


def test_an_index_that_is_null_is_the_first_choice() -> None:
    choice: JsonObject = {"index": None, "delta": {"content": "x"}, "finish_reason": "stop"}
    outcome = read((event({"choices": [choice]}) + DONE).encode())
    assert isinstance(outcome, Answer)
    assert outcome.text == "x"


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_never_the_answer(name: str) -> None:
    thought = delta(**{name: '{"a": 1}'}) + delta(**{name: [{"type": "text", "text": "hm"}]})
    outcome = read((thought + delta(content="x") + delta("stop") + DONE).encode())
    assert isinstance(outcome, Answer)
    assert outcome.text == "x"
    outcome = read((thought + delta("length") + DONE).encode())
    assert isinstance(outcome, Answer)
    assert (outcome.text, outcome.finish_reason) == (None, "length")


def test_an_empty_finish_reason_takes_none_back() -> None:
    for before, after in (("length", ""), ("", "length"), ("length", None)):
        outcome = read((delta(before, content="x") + delta(after) + DONE).encode())
        assert isinstance(outcome, Answer)
        assert outcome.finish_reason == "length"
    assert failure(delta("", content="x") + DONE).code == "connection_lost"


CONTEXT_WORDS = "the request exceeds the available context size, try increasing it"


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": CONTEXT_WORDS, "type": "backend_error", "code": 400}},
        {"error": {"message": CONTEXT_WORDS, "type": "exceed_context_size_error"}},
        {"error": {"message": CONTEXT_WORDS, "code": "context_length_exceeded"}},
        {"error": CONTEXT_WORDS},
        {"object": "error", "message": CONTEXT_WORDS, "type": "BadRequestError", "code": 400},
        {"type": "error", "message": CONTEXT_WORDS},
        {"message": CONTEXT_WORDS, "code": 400},
        {"detail": CONTEXT_WORDS},
        {"detail": {"error": {"message": CONTEXT_WORDS, "code": 400}}},
    ],
)
def test_an_input_too_long_for_the_context_is_the_models_failure_inside_a_stream_too(
    error: JsonObject,
) -> None:
    for before in ("", delta(content="x")):
        outcome = failure(before + event(error) + DONE)
        assert (outcome.code, outcome.fault, outcome.retry) == ("context_length", "model", False)
        assert "available context size" in outcome.message


def test_an_error_at_the_top_of_an_event_is_no_answer() -> None:
    outcome = failure(event({"object": "error", "message": "CUDA error", "code": 500}) + DONE)
    assert (outcome.code, outcome.fault) == ("server_error", "infrastructure")
    assert "CUDA error" in outcome.message
