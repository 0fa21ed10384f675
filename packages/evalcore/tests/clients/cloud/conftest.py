"""Each provider of the cloud, simulated, and a client for it."""

import asyncio
from contextlib import ExitStack, nullcontext

import pytest

from evalcore.clients.interface import Call
from evalcore.clients.registry import open_client
from evalcore.library.adaptation import adapt_schema
from evalcore.library.models import BUILT_IN, Model
from evalsim.cloud import CloudConfig, CloudModel, SimulatedCloud
from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.serving import running

ONE_MODEL = (CloudModel(id="m"),)
EXPECTED = {"title": "Soil and carbon", "year": 2026}


class Cloud:
    """One simulated provider that is up; `ask` makes calls to it."""

    def __init__(self, kind, app, url):
        self.kind, self.app, self.url = kind, app, url

    def ask(self, count=1, *, first=0, **changes):
        """Make calls through one client, the `first` ones in turn, the others at once; give the replies."""

        async def asked():
            provider = BUILT_IN[self.kind]
            async with open_client(provider, self.url, f"key-{self.kind}") as client:
                calls = [self.call(replicate=number, **changes) for number in range(first + count)]
                before = [await client.call(call, nullcontext) for call in calls[:first]]
                return before + await asyncio.gather(
                    *(client.call(call, nullcontext) for call in calls[first:])
                )

        return asyncio.run(asked())

    def call(self, *, replicate=0, schema=None, model="m", user="the input", **model_changes):
        adapted = adapt_schema(schema, self.kind) if schema is not None else None
        values = {
            "structured_output": "json_schema" if schema is not None else "none",
            "params": {"max_tokens": 1000},
        } | model_changes
        return Call(
            case="a",
            replicate=replicate,
            model=Model(model, self.kind, **values),
            system="the prompt",
            user=user,
            schema=adapted.schema if adapted is not None else None,
            as_tool=adapted is not None and adapted.as_tool,
        )


@pytest.fixture
def cloud():
    """Start a simulated provider: `cloud("anthropic", faults=...)`."""
    stack = ExitStack()

    def start(kind, *, models=ONE_MODEL, **config):
        book = AnswerBook({"the input": Expected(value=EXPECTED, is_json=True)})
        app = SimulatedCloud(kind, CloudConfig(models=models, **config), book)
        return Cloud(kind, app, stack.enter_context(running(app)))

    with stack:
        yield start
