"""Zeros without end in few bytes."""

from __future__ import annotations

import zlib

import pytest

from evalsim.documents.compressed import BLOCK, deflated_zeros


@pytest.mark.parametrize(("size", "blocks"), [(1, 1), (BLOCK, 1), (BLOCK + 1, 2), (5 * BLOCK, 5)])
def test_it_is_a_whole_stream_of_zeros(size, blocks):
    stream = deflated_zeros(size)
    assert zlib.decompress(stream) == bytes(blocks * BLOCK)
    assert len(stream) < blocks * 1100 + 20
