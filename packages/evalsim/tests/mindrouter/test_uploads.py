"""A multipart upload as MindRouter reads it, and what it says of one that is not valid."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.mindrouter.uploads import NotValid, read_upload


def sent(file=("input.pdf", b"bytes", "application/octet-stream"), **form):
    parts = {name: (None, value) for name, value in form.items()}
    files = ({"file": file} if file else {}) | parts
    request = httpx.Request("POST", "http://sim", files=files)
    return read_upload(request.headers["content-type"], request.read())


@given(st.binary(max_size=300))
def test_the_file_comes_through_byte_for_byte(content):
    assert sent(("a.pdf", content, "application/octet-stream")).content == content


def test_what_the_form_says_is_read_and_the_rest_is_unknown():
    upload = sent(model="m", chunk_size="2", overlap="0", dpi="200", output_format="json")
    assert (upload.name, upload.content_type) == ("input.pdf", "application/octet-stream")
    assert (upload.model, upload.chunk_size, upload.overlap, upload.output_format) == ("m", 2, 0, "json")
    bare = sent()
    assert (bare.model, bare.chunk_size, bare.overlap, bare.output_format) == (None, None, None, None)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", b""),
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"no parts at all"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
        ),
    ],
)
def test_without_a_file_the_field_is_missing(kind, body):
    with pytest.raises(NotValid) as caught:
        read_upload(kind, body)
    assert caught.value.problems == [
        {"type": "missing", "loc": ["body", "file"], "msg": "Field required", "input": None}
    ]


@pytest.mark.parametrize("field", ["chunk_size", "overlap", "dpi"])
def test_a_number_that_is_none_is_named(field):
    with pytest.raises(NotValid) as caught:
        sent(**{field: "many"})
    assert caught.value.problems[0]["loc"] == ["body", field]
