"""A chat request as MindRouter reads it: what it refuses, in its words, and what it leaves unread."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.mindrouter.requests import LEAST_TOKENS, MOST_TOKENS, RESERVE, BadRequest, read_chat, tokens


def read(**fields):
    return read_chat(json.dumps({"model": "m", "messages": []} | fields).encode())


def refused(body):
    with pytest.raises(BadRequest) as caught:
        read_chat(body if isinstance(body, bytes) else json.dumps(body).encode())
    return str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nonsense", b'{"model": '])
def test_what_is_no_json_is_refused(body):
    assert refused(body) == "Invalid JSON body"


def test_without_a_model_only_the_keys_name_is_told():
    assert refused({"messages": []}) == "Invalid request format: 'model'"


@pytest.mark.parametrize("role", ["developer", "narrator", ""])
def test_a_role_that_is_not_known_is_refused(role):
    words = refused({"model": "m", "messages": [{"role": role, "content": "x"}]})
    assert words == f"Invalid request format: '{role}' is not a valid MessageRole"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (
            "temperature",
            -1,
            "Input should be greater than or equal to 0 [type=greater_than_equal, input_value=-1",
        ),
        (
            "temperature",
            2.5,
            "Input should be less than or equal to 2 [type=less_than_equal, input_value=2.5",
        ),
        (
            "max_tokens",
            0,
            "Input should be greater than or equal to 1 [type=greater_than_equal, input_value=0",
        ),
    ],
)
def test_a_number_out_of_its_range_is_refused_as_pydantic_words_it(field, value, words):
    said = refused({"model": "m", field: value})
    assert said.startswith(f"Invalid request format: 1 validation error for CanonicalChatRequest\n{field}\n")
    assert words in said


@pytest.mark.parametrize(("field", "value"), [("temperature", 0), ("temperature", 2), ("max_tokens", 1)])
def test_the_ends_of_a_range_are_within_it(field, value):
    assert read(**{field: value}).model == "m"


@pytest.mark.parametrize("field", ["logprobs", "logit_bias", "guided_json", "store", "made_up"])
def test_what_the_gateway_does_not_know_is_dropped_without_a_word(field):
    assert read(**{field: {"x": 1}}) == read()


def test_no_messages_are_accepted():
    assert read_chat(b'{"model": "m"}').user == read().user == ""


def test_several_system_messages_are_merged_and_stand_apart_from_the_others():
    messages = [
        {"role": "user", "content": "one"},
        {"role": "system", "content": "a"},
        {"role": "assistant", "content": "two"},
        {"role": "system", "content": "b"},
        {"role": "user", "content": None},
    ]
    request = read(messages=messages)
    assert (request.system, request.user) == ("a\n\nb", "one\n\ntwo\n\n")


def test_content_in_parts_is_their_text():
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "b"},
    ]
    assert read(messages=[{"role": "user", "content": parts}]).user == "ab"


def test_a_later_name_of_the_token_limit_goes_before_the_earlier():
    assert read(max_tokens=5).max_tokens == 5
    assert read(max_tokens=5, max_completion_tokens=7).max_tokens == 7
    assert read().max_tokens is None


@pytest.mark.parametrize(
    ("form", "is_structured"),
    [
        (None, False),
        ({"type": "text"}, False),
        ({"type": "json_object"}, True),
        ({"type": "json_schema"}, True),
    ],
)
def test_structured_output_is_what_is_not_text(form, is_structured):
    assert read(response_format=form).is_structured is is_structured


def test_usage_is_asked_for_in_streams():
    assert not read(stream=True).include_usage
    assert read(stream=True, stream_options={"include_usage": True}).include_usage


@pytest.mark.parametrize(
    ("context", "asked", "limit"),
    [
        (2048, None, 1024),
        (2048, 100, 100),
        (2048, 5000, 1024),
        (10**6, None, MOST_TOKENS),
        (10**6, 10**6, MOST_TOKENS),
        (RESERVE, None, LEAST_TOKENS),
        (100, 5000, LEAST_TOKENS),
    ],
)
def test_the_limit_is_cut_to_what_the_context_leaves(context, asked, limit):
    assert read(max_tokens=asked).completion_limit(context) == limit


def test_a_prompt_takes_from_the_context():
    request = read(messages=[{"role": "user", "content": "x" * 400}])
    assert request.prompt_tokens == 100
    assert request.completion_limit(2048) == 924


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_longer_text_never_has_fewer_tokens(one, more):
    assert tokens(one) <= tokens(one + more)
    assert (tokens(one) == 0) == (one == "")


@given(st.binary(max_size=80))
def test_whatever_the_body_it_is_read_or_refused(body):
    try:
        model = read_chat(body).model
    except BadRequest as error:
        model = str(error)
    assert isinstance(model, str)
