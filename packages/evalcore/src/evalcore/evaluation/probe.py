"""Whether a cloud model takes its parameters and its schema: known before a call, or by one token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import msgspec

from evalcore.clients.interface import Call, Client, ServedModel
from evalcore.errors import InputError
from evalcore.evaluation.finding import Finding
from evalcore.evaluation.refusals import refused_run
from evalcore.library.adaptation import AdaptedSchema
from evalcore.library.component import Component
from evalcore.library.models import Model, ModelsFile, Provider, by_provider, schema_dialect
from evalcore.runs.plan import adapted_schema, fit_to_output
from evalcore.structs import Frozen, JsonObject

_LIMITS = ("max_tokens", "max_completion_tokens", "maxOutputTokens", "max_output_tokens")


class Asked(Frozen, frozen=True):
    """What a model would be asked with for one component."""

    model: Model
    adapted: AdaptedSchema | None

    @property
    def changes(self) -> tuple[str, ...]:
        """What is changed in the schema, a sentence each."""
        return self.adapted.changes if self.adapted is not None else ()


def asked_of(model: Model, component: Component, provider: Provider) -> Asked:
    """Say how a model would be asked; raises SchemaNotTaken where it cannot be."""
    fitted = fit_to_output(model, component.output, component.schema, provider)
    return Asked(fitted, adapted_schema(fitted, component.schema, provider))


def over_limit(asked: Asked, served: ServedModel) -> str | None:
    """Say that longer answers are asked for than the provider lists; the call of one token cannot see it."""
    params = asked.model.params
    given = next((params[name] for name in _LIMITS if name in params), None)
    if not isinstance(given, int) or served.most_tokens is None or given <= served.most_tokens:
        return None
    return (
        f"{asked.model.id}: its `params` ask for answers of {given:,} tokens, and {served.most_tokens:,} is"
        " the most; lower it in models.yaml"
    )


async def refused_by(client: Client, asked: Asked) -> str | None:
    """Make one call of one token; return why the model's runs would be skipped, else None."""
    adapted = asked.adapted
    model = msgspec.structs.replace(asked.model, params=_one_token(asked.model.params), stream=False)
    if model.structured_output == "json_schema" and adapted is None:
        # without a component there is no schema to ask with
        model = msgspec.structs.replace(model, structured_output="none")
    call = Call(
        case="",
        replicate=0,
        model=model,
        # OpenAI refuses `json_object` where no message has the word JSON.
        system="Answer with JSON.",
        user="Say OK.",
        schema=adapted.schema if adapted is not None else None,
        as_tool=adapted is not None and adapted.as_tool,
    )
    reply = await client.call(call, nullcontext)
    return refused_run(model.id, reply.error)


def _one_token(params: JsonObject) -> JsonObject:
    """Return the parameters with a limit of one token beyond what may be thought."""
    thinking = params.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    # Anthropic refuses a limit that is not above the budget for thinking.
    most = 1 + budget if isinstance(budget, int) else 1
    name = next((name for name in _LIMITS if name in params), "max_tokens")
    return {**params, name: most}


def schema_findings(component: Component, models_file: ModelsFile) -> Iterator[Finding]:
    """Yield what each provider of models.yaml would change in a component's schema, or cannot take of it."""
    for name, models in by_provider(models_file.models).items():
        provider = models_file.providers[name]
        if schema_dialect(provider) is None:
            continue
        model = next((model for model in models if model.structured_output == "json_schema"), None)
        if model is None:
            continue
        where = f"components/{component.slug}"
        try:
            changes = asked_of(model, component, provider).changes
        except InputError as error:
            yield Finding("warning", component.slug, where, f"{error.where}: {error.what}", error.hint)
            continue
        if changes:
            what = f"its schema is changed for {name}: {'; '.join(changes)}"
            yield Finding("note", component.slug, where, what, "records say so too, as `schema_adapted`")
