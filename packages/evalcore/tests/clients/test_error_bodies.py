"""What a server says of a failure, whichever envelope it says it in, whatever the bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.error_bodies import LONGEST_PLAIN, Stated, read_error, read_words, unquoted


def encoded(value):
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("body", "stated"),
    [
        ({"detail": "Rate limit exceeded"}, Stated("Rate limit exceeded", is_object=True)),
        ({"error": "model not found"}, Stated("model not found", is_object=True)),
        (
            {"error": {"message": "m", "type": "t", "code": "c"}},
            Stated("m", "t", "c", is_object=True),
        ),
        (
            {"detail": {"error": {"message": "m", "type": "t", "code": 400}}},
            Stated("m", "t", 400, is_object=True),
        ),
        ({"object": "error", "message": "m", "code": 40303}, Stated("m", "", 40303, is_object=True)),
        ([{"error": {"code": 429, "message": "m"}}], Stated("m", "", 429, is_object=True)),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, Stated("field required", is_object=True)),
        ({"errors": [{"message": "m"}]}, Stated("m", is_object=True)),
        ({"error": "m", "error_type": "validation"}, Stated("m", "validation", is_object=True)),
        ({"message": "m"}, Stated("m", is_object=True)),
        ("plain words", Stated("plain words")),
    ],
)
def test_each_envelope_is_read(body, stated):
    found = read_error(encoded(body))
    assert (found.message, found.kind, found.code) == (stated.message, stated.kind, stated.code)


def test_an_outer_word_stands_in_where_the_inner_has_none():
    body = {"error": {"message": ""}, "message": "outer", "code": "x", "type": "t"}
    found = read_error(encoded(body))
    assert (found.message, found.kind, found.code) == ("outer", "t", "x")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>", b"null", b"7", b"[]", b"{}", encoded({"choices": []}), encoded({"id": "x"})],
)
def test_what_tells_of_no_error_is_none(body):
    assert read_error(body) is None


def test_a_byte_order_mark_is_no_matter():
    assert read_error(b"\xef\xbb\xbf" + encoded({"error": "m"})).message == "m"


def test_a_message_that_is_no_text_keeps_its_words():
    assert read_error(encoded({"error": {"message": {"a": 1}}})).message == '{"a": 1}'


def test_errors_wrapped_without_end_are_read_as_far_as_is_bearable():
    for depth in (5, 500, 100_000):
        found = read_error(b'{"error":' * depth + b'"inner"' + b"}" * depth)
        assert found is None or found.is_object


@given(st.binary(max_size=100))
def test_whatever_the_bytes_nothing_is_raised(body):
    assert read_error(body) is None or isinstance(read_error(body).message, str)
    assert isinstance(read_words(body).message, str)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["error", "detail", "message", "type", "code", "errors"]), inner, max_size=3
        )
    ),
)


@given(JSON)
def test_whatever_the_json_nothing_is_raised(value):
    found = read_error(encoded(value))
    assert found is None or (isinstance(found.message, str) and isinstance(found.code, str | int | None))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"upstream timed out\n", "upstream timed out"),
        (b"<html>Bad gateway</html>", ""),
        (b"  <!doctype html>", ""),
        (b"{broken", ""),
        (b"[broken", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_of_a_body_that_is_no_json_plain_words_are_taken_and_pages_are_not(body, message):
    assert read_words(body).message == message


def test_plain_words_are_bounded():
    assert len(read_words(b"x" * (2 * LONGEST_PLAIN)).message) == LONGEST_PLAIN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain", "plain"),
        ("{'error': {'message': 'too long', 'code': 'x'}}", "too long"),
        ("{'message': \"it's too long\", 'a': 1}", "it's too long"),
        (
            "{'message': 'too long', 'code': 'context_length_exceeded'}",
            "too long (context_length_exceeded)",
        ),
        ("{'message': 'never closed", "{'message': 'never closed"),
    ],
)
def test_the_words_are_taken_out_of_pythons_way_to_write_a_dict(text, words):
    assert unquoted(text) == words
