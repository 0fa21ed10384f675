"""An input that is longer than the model's context: by which words servers of every dialect refuse it."""

from __future__ import annotations

from typing import Final

from evalcore.clients.error_bodies import Stated
from evalcore.clients.failures import Failure, with_words

TOO_LONG_CODES: Final = frozenset(
    {
        "3051",  # Mistral
        "context_length_exceeded",  # OpenAI, Azure, MindRouter
        "context_window_exceeded",
        "exceed_context_size_error",  # llama.cpp
        "model_context_window_exceeded",
    }
)
"""Codes and kinds by which servers refuse an input that is longer than the model's context."""
TOO_LONG_WORDS: Final = (
    "context_length_exceeded",
    "exceed_context_size_error",
    "context length",  # SGLang, Ollama, vLLM
    "context limit",  # Anthropic
    "context size",  # llama.cpp
    "context window",  # OpenAI, llama-cpp-python
    "maximum context",
    "maximum model length",  # vLLM
    "max_model_len",
    "max_seq_len",  # exllama
    "maximum sequence length",
    "maximum input length",  # TensorRT-LLM
    "maximum number of tokens allowed",  # Gemini
    "prompt is too long",  # Anthropic, Fireworks
    "input is too long",  # Bedrock
    "too many tokens in",  # Mistral
    "too large for model with",  # Mistral, older
    "`inputs` must have less than",  # TGI
    "`max_new_tokens` must be <=",  # TGI
    "range of input length",  # DashScope
    "reduce the length of the messages",  # Groq
)
"""And the words of those that send neither; they are looked for in what is no rate limit (429)."""


def is_context_length(stated: Stated) -> bool:
    """Whether the input was refused as too long: by its code or kind, else by the words."""
    signs = {str(stated.code).lower(), stated.kind.lower()}
    if signs & TOO_LONG_CODES:
        return True
    words = stated.message.lower()
    return any(phrase in words for phrase in TOO_LONG_WORDS)


def context_length(stated: Stated) -> Failure:
    """Return the failure: the model's own, since another one has a longer context."""
    message = with_words("the input is too long for the model's context", stated.message)
    return Failure(code="context_length", message=message, fault="model")
