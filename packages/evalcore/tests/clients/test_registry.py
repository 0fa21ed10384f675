"""Every dialect that models.yaml has a name for has a folder, and a client that speaks it."""

import asyncio
import sys
from subprocess import run
from typing import get_args

import pytest

from evalcore.clients.registry import dialect_of, open_client
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
