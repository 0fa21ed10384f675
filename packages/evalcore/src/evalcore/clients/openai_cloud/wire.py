"""OpenAI's own Chat Completions: what its requests have that those of servers like it have not.

Facts: https://platform.openai.com/docs/api-reference/chat, and OpenAI's OpenAPI description 2.3.0.
"""

from __future__ import annotations

import msgspec

from evalcore.clients.interface import Call
from evalcore.clients.openai.wire import chat_body
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
