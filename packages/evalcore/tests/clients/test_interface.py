"""What a call decides of its request: the seed of its replicate, and the document that it sends."""

from __future__ import annotations

from base64 import b64decode

import msgspec
import pytest

from evalcore.clients.interface import Attachment, Call
from evalcore.library.models import Model


def call(replicate, **params):
    model = msgspec.convert({"id": "m", "provider": "mindrouter", "params": params}, Model)
    return Call(case="one", replicate=replicate, model=model, system="", user="", schema=None)


@pytest.mark.parametrize("first", [0, 7, -1])
def test_each_replicate_has_a_seed_of_its_own(first):
    assert [call(replicate, seed=first).seed for replicate in range(3)] == [first, first + 1, first + 2]


@pytest.mark.parametrize("seed", [None, True, "7", 7.0])
def test_what_is_no_whole_number_is_no_seed(seed):
    assert call(0, seed=seed).seed is None
    assert call(0).seed is None


@pytest.mark.parametrize(
    ("media_type", "is_picture"), [("image/png", True), ("image/jpeg", True), ("application/pdf", False)]
)
def test_a_document_is_sent_whole_inside_the_request(media_type, is_picture):
    data = bytes(range(256))
    sent = Attachment("input.x", media_type, data)
    assert sent.is_picture is is_picture
    head, _, encoded = sent.data_uri.partition(",")
    assert head == f"data:{media_type};base64"
    assert b64decode(encoded, validate=True) == b64decode(sent.base64, validate=True) == data
