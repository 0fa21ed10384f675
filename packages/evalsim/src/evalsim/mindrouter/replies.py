"""What a simulated model says to a chat request: its text, its reasoning, its finish reason, its usage."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import msgspec

from evalcore.structs import Frozen, JsonValue
from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.mindrouter.config import FaultKind, SimConfig, SimModel
from evalsim.mindrouter.quality import perturbed
from evalsim.mindrouter.requests import CHARACTERS_PER_TOKEN, ChatRequest, tokens

UNKNOWN = Expected(value="I do not know this document.", is_json=False)
"""What is answered to an input that is in no answer book."""
REASONING = "The user wants the answer in the form that was asked for. I have it."


class ModelReply(Frozen, frozen=True):
    """A whole answer. `text` is None for content null; `usage` is None where none is reported."""

    text: str | None
    reasoning: str | None
    finish_reason: str
    usage: tuple[int, int] | None
    has_choices: bool = True


def reply_to(
    request: ChatRequest,
    model: SimModel,
    config: SimConfig,
    book: AnswerBook,
    *,
    number: int,
    fault: FaultKind | None,
) -> ModelReply:
    """Answer a request; `number` counts the calls of the case and stands in for a seed that is not sent."""
    known = book.find(request.system, request.user) or book.find_shown(request.system, request.documents)
    expected = known or UNKNOWN
    value = _answer(expected, request, model, config, number)
    if fault == "wrong_keys":
        value = _with_wrong_keys(value)
    text: str | None = msgspec.json.encode(value).decode() if expected.is_json else str(value)
    reasoning = REASONING if "thinking" in {fault, model.style} else None
    text = _styled(text or "", fault or model.style, is_json=expected.is_json)
    text, finish_reason = _cut(text, request.completion_limit(model.context_length), fault)
    usage: tuple[int, int] | None = (request.prompt_tokens, tokens(text + (reasoning or "")))
    if fault == "null_content":
        text, reasoning = None, REASONING
    if fault == "zero_usage":
        usage = (0, 0)
    if fault == "no_usage":
        usage = None
    return ModelReply(text, reasoning, finish_reason, usage, has_choices=fault != "no_choices")


def _answer(
    expected: Expected, request: ChatRequest, model: SimModel, config: SimConfig, number: int
) -> JsonValue:
    if expected is UNKNOWN:
        return expected.value
    case = f"{config.seed}|{model.id}|{sha256(request.user.encode()).hexdigest()}"
    # The same seed gives the same answer, as one backend did in the recordings.
    call = f"{case}|seed {request.seed}" if request.seed is not None else f"{case}|call {number}"
    return perturbed(expected, quality=model.quality, noise=model.noise, case_seed=case, call_seed=call)


def _with_wrong_keys(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {f"{name}_value": inner for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_wrong_keys(inner) for inner in value]
    return {"value": value}


def _cut(text: str, limit: int, fault: FaultKind | None) -> tuple[str, str]:
    if fault == "truncated":
        return text[: len(text) // 2], "length"
    longest = limit * CHARACTERS_PER_TOKEN
    return (text[:longest], "length") if len(text) > longest else (text, "stop")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def _styled(text: str, style: str, *, is_json: bool) -> str:
    """Dress an answer as models do."""
    language = "json" if is_json else "markdown"
    dresses: dict[str, Callable[[], str]] = {
        "fenced": lambda: _fenced(text, language),
        "prose": lambda: f"Here is the answer:\n\n{text}\n\nLet me know if you need anything else.",
        "think_tags": lambda: f"<think>\n{REASONING}\n</think>\n\n{text}",
        "broken_json": lambda: text[:-1] + "," if is_json else text,
    }
    return dresses[style]() if style in dresses else text
