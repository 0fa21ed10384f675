"""Every dialect that models.yaml has a name for has a client."""

import asyncio
from typing import get_args

import pytest

from evalcore.clients.registry import open_client
from evalcore.library.models import DialectName, Provider


@pytest.mark.parametrize("api", get_args(DialectName))
def test_a_dialect_has_a_client(api):
    async def opened():
        async with open_client(
            Provider("p", api, "http://127.0.0.1:9", None), "http://127.0.0.1:9", None
        ) as client:
            return hasattr(client, "call")

    assert asyncio.run(opened())
