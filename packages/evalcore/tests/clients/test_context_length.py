"""An input that is too long for the model: known by code, by kind, or by the words of each server."""

from __future__ import annotations

import pytest

from evalcore.clients.context_length import TOO_LONG_CODES, TOO_LONG_WORDS, context_length, is_context_length
from evalcore.clients.error_bodies import Stated


@pytest.mark.parametrize("code", sorted(TOO_LONG_CODES))
def test_a_code_or_kind_says_it(code):
    assert is_context_length(Stated(code=code))
    assert is_context_length(Stated(kind=code.upper()))


def test_a_number_may_be_a_code():
    assert is_context_length(Stated(code=3051))
    assert not is_context_length(Stated(code=400))


@pytest.mark.parametrize("words", TOO_LONG_WORDS)
def test_the_words_of_a_server_say_it_in_any_case(words):
    assert is_context_length(Stated(message=f"Error: {words.upper()}, sorry"))


@pytest.mark.parametrize(
    "message",
    [
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192",
        "the request exceeds the available context size",
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens",
    ],
)
def test_sentences_that_were_seen_are_known(message):
    assert is_context_length(Stated(message=message))


@pytest.mark.parametrize(
    "message",
    ["", "Rate limit exceeded", "temperature must be below 2", "max_tokens is too large", "not found"],
)
def test_other_refusals_are_no_such(message):
    assert not is_context_length(Stated(message=message))


def test_it_is_the_models_failure_and_is_not_tried_again():
    failure = context_length(Stated(message="maximum context length is 8192"))
    assert (failure.code, failure.fault, failure.retry) == ("context_length", "model", False)
    assert "maximum context length is 8192" in failure.message
