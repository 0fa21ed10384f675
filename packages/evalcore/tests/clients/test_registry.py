"""Every dialect that is said to be spoken has a client, and the others say so before any call."""

import asyncio
from typing import get_args

import pytest

from evalcore.clients.registry import SPOKEN_DIALECTS, open_client
from evalcore.errors import ConfigurationError
from evalcore.library.models import DialectName, Provider


@pytest.mark.parametrize("api", sorted(SPOKEN_DIALECTS))
def test_a_spoken_dialect_has_a_client(api):
    async def opened():
        async with open_client(
            Provider("p", api, "http://127.0.0.1:9", None), "http://127.0.0.1:9", None
        ) as client:
            return hasattr(client, "call")

    assert asyncio.run(opened())


def test_another_dialect_is_a_configuration_error_that_names_the_provider():
    with pytest.raises(ConfigurationError, match="provider p"):
        open_client(Provider("p", "carrier-pigeon", "http://127.0.0.1:9", None), "http://127.0.0.1:9", None)


def test_models_yaml_has_a_word_for_every_dialect() -> None:
    missing = SPOKEN_DIALECTS - set(get_args(DialectName))
    assert not missing, f"evalcore/library/models.py: name {sorted(missing)} in DialectName"
