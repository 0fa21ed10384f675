"""Every dialect that models.yaml has a name for has a folder, and a client that speaks it."""

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime
from subprocess import run
from typing import get_args

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Served
from evalcore.clients.registry import dialect_of, open_client
from evalcore.clients.reply import Answer
from evalcore.library.models import DialectName, Provider


@pytest.mark.parametrize("api", get_args(DialectName))
def test_a_dialect_has_a_client(api):
    async def opened():
        async with open_client(
            Provider("p", api, "http://127.0.0.1:9", None), "http://127.0.0.1:9", None
        ) as client:
            return hasattr(client, "call")

    assert asyncio.run(opened())


@pytest.mark.parametrize("api", get_args(DialectName))
def test_a_dialect_stands_in_the_folder_of_its_name(api):
    found = dialect_of(Provider("p", api, "http://127.0.0.1:9", None))
    assert type(found).__module__ == f"evalcore.clients.{api}.dialect"


def spoken(api):
    return dialect_of(Provider("p", api, "http://127.0.0.1:9", None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
BODIES = st.binary(max_size=40) | JSON.map(msgspec.json.encode)
EVERY_DIALECT = pytest.mark.parametrize("api", get_args(DialectName))


@EVERY_DIALECT
@given(body=BODIES)
@example(body=b"<html>Bad gateway</html>")
@example(body=b"[" * 100_000)
@example(body=b"")
def test_no_body_of_a_200_raises_and_one_that_is_no_answer_is_a_failure(api, body):
    """A failed call is a value: what a dialect raised would end the evaluation of every model."""
    assert isinstance(spoken(api).read_answer(body), Failure)


@EVERY_DIALECT
@given(status=st.integers(100, 599), body=BODIES, wait=st.text(max_size=9))
def test_no_other_status_raises_whatever_its_body_and_headers_are(api, status, body, wait):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert isinstance(spoken(api).read_failure(status, {"retry-after": wait}, body, now), Failure)


@EVERY_DIALECT
@given(body=BODIES)
def test_a_list_of_models_is_read_or_is_unreadable(api, body):
    with suppress(*UNREADABLE):
        assert isinstance(spoken(api).read_served(body, body), Served)


@EVERY_DIALECT
@given(parts=st.lists(BODIES, max_size=4))
def test_no_stream_raises_where_it_is_cut(api, parts):
    reader = spoken(api).read_stream()
    for part in parts if reader is not None else ():
        reader.feed(b"data: " + part + b"\n\n")
    assert reader is None or isinstance(reader.end(), Answer | Failure)


def test_openais_own_service_is_spoken_to_in_its_own_way():
    found = dialect_of(Provider("openai", "openai", "https://api.openai.com", "OPENAI_API_KEY"))
    assert type(found).__module__ == "evalcore.clients.openai_cloud.dialect"


def test_a_dialect_that_is_not_spoken_is_not_loaded():
    script = (
        "import sys\n"
        "from evalcore.clients.registry import dialect_of\n"
        "from evalcore.library.models import Provider\n"
        "dialect_of(Provider('mindrouter', 'openai', 'http://127.0.0.1:9', None))\n"
        "spoken = ('evalcore.clients.google', 'evalcore.clients.anthropic')\n"
        "print([name for name in sys.modules if name.startswith(spoken)])"
    )
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
