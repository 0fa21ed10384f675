"""OpenAI's own Chat Completions: what its requests have that those of servers like it have not.

Facts: https://platform.openai.com/docs/api-reference/chat, and OpenAI's OpenAPI description 2.3.0.
"""

from __future__ import annotations

from typing import Final

import msgspec

from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call
from evalcore.clients.openai.wire import chat_body
from evalcore.clients.reply import Answer
from evalcore.structs import JsonObject


def cloud_chat_body(call: Call) -> bytes:
    """Build the body: as for servers like it, with `max_tokens` under the name that takes its place.

    `max_tokens` is deprecated, and refused by models that reason; `max_completion_tokens` counts reasoning.
    """
    params = call.model.params
    if "max_tokens" in params and "max_completion_tokens" not in params:
        renamed: JsonObject = {
            ("max_completion_tokens" if name == "max_tokens" else name): value
            for name, value in params.items()
        }
        model = msgspec.structs.replace(call.model, params=renamed)
        call = msgspec.structs.replace(call, model=model)
    return chat_body(call)


_KNOWN: Final = frozenset({"stop", "length", "content_filter", "refusal", "tool_calls", "function_call"})


def declined(outcome: Answer | Failure) -> Answer | Failure:
    """Take away what a filter left of an answer, and name a reason that is not documented `other`."""
    if isinstance(outcome, Failure):
        return outcome
    reason = outcome.finish_reason
    if reason == "content_filter":
        return Answer(text=None, finish_reason=reason, usage=outcome.usage)
    if reason is not None and reason not in _KNOWN:
        return Answer(text=outcome.text, finish_reason="other", usage=outcome.usage)
    return outcome
