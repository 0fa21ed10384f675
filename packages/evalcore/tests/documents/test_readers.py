"""Which reader reads, and whether a machine has what it needs."""

from __future__ import annotations

import asyncio

import pytest

from evalcore.documents.readers import open_reader, reader_endpoint
from evalcore.errors import ConfigurationError
from evalcore.library.models import BUILT_IN, Endpoint
from evalcore.library.reading import ReadingSettings

HERE = {"MINDROUTER_BASE_URL": "http://gateway:8000", "MINDROUTER_API_KEY": "mr2_key"}
BY_MINDROUTER = ReadingSettings(model="qwen/qwen3.5-122b")


@pytest.mark.parametrize("reader", ["text", "none"])
def test_readers_without_a_server_read_anywhere(reader):
    settings = ReadingSettings(reader=reader)
    assert reader_endpoint(settings, BUILT_IN, {}, "memo") is None

    async def name() -> str:
        async with open_reader(settings, BUILT_IN, None) as opened:
            return opened.name

    assert asyncio.run(name()) == reader


def test_mindrouter_reads_where_it_is_set():
    endpoint = reader_endpoint(BY_MINDROUTER, BUILT_IN, HERE, "memo")
    assert endpoint == Endpoint("http://gateway:8000", "mr2_key")

    async def name() -> str:
        async with open_reader(BY_MINDROUTER, BUILT_IN, endpoint) as opened:
            return opened.name

    assert asyncio.run(name()) == "mindrouter"


@pytest.mark.parametrize("variable", list(HERE))
def test_a_machine_that_cannot_read_as_the_library_says_refuses_and_says_what_to_do(variable):
    with pytest.raises(ConfigurationError) as raised:
        reader_endpoint(BY_MINDROUTER, BUILT_IN, HERE | {variable: ""}, "memo")
    assert variable in raised.value.line
    assert "evalcli cases read memo --write" in raised.value.line


def test_a_library_that_names_no_model_is_told_where_to():
    with pytest.raises(ConfigurationError, match="names no model"):
        reader_endpoint(ReadingSettings(), BUILT_IN, HERE, "memo")
