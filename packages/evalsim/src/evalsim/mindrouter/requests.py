"""A chat request, read as MindRouter reads it: what it refuses, in its words, and what it leaves unread."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import msgspec

from evalcore.decoding import decode_json
from evalcore.structs import Frozen

ROLES = frozenset({"system", "user", "assistant", "tool"})
RESERVE = 1024
"""Tokens of the context that the gateway keeps back."""
MOST_TOKENS = 65536
LEAST_TOKENS = 256
"""What `max_tokens` becomes when nothing is left of the context."""
CHARACTERS_PER_TOKEN = 4


class BadRequest(Exception):
    """A 400; its text is the answer's `detail`."""


class _Image(Frozen, frozen=True):
    url: str = ""


class _File(Frozen, frozen=True):
    file_data: str = ""


class _Part(Frozen, frozen=True):
    type: str = "text"
    text: str = ""
    image_url: _Image | None = None
    file: _File | None = None


class _Message(Frozen, frozen=True):
    role: str = "user"
    content: str | list[_Part] | None = None


class _StreamOptions(Frozen, frozen=True):
    include_usage: bool = False


class _ResponseFormat(Frozen, frozen=True):
    type: str = "text"


class _Body(Frozen, frozen=True):
    model: str | None = None
    messages: tuple[_Message, ...] = ()
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    response_format: _ResponseFormat | None = None


class ChatRequest(Frozen, frozen=True):
    """What decides an answer."""

    model: str
    system: str
    user: str
    stream: bool
    include_usage: bool
    max_tokens: int | None
    seed: int | None
    is_structured: bool
    documents: tuple[bytes, ...] = ()
    """Images and files of the messages; what stands at an address is dropped without a word."""

    @property
    def prompt_tokens(self) -> int:
        """An estimate."""
        return tokens(self.system) + tokens(self.user)

    def completion_limit(self, context_length: int) -> int:
        """The `max_tokens` that the gateway sends on, without saying so."""
        free = context_length - self.prompt_tokens - RESERVE
        # As recorded: 1,024 tokens of the context are kept back, and where nothing is left the answer has
        # 256.
        limit = min(self.max_tokens if self.max_tokens is not None else MOST_TOKENS, free, MOST_TOKENS)
        return limit if limit > 0 else LEAST_TOKENS


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def read_chat(body: bytes) -> ChatRequest:
    """Read a request's body; raises BadRequest."""
    try:
        read = decode_json(body, _Body)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid request format: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("Invalid JSON body") from error
    if read.model is None:
        raise BadRequest("Invalid request format: 'model'")
    for message in read.messages:
        if message.role not in ROLES:
            raise BadRequest(f"Invalid request format: '{message.role}' is not a valid MessageRole")
    _check_range("temperature", read.temperature, 0, 2)
    _check_range("max_tokens", read.max_tokens, 1, None)
    # The newer name wins; 0 under the older one is a 400 all the same.
    chosen = read.max_completion_tokens if read.max_completion_tokens is not None else read.max_tokens
    return ChatRequest(
        model=read.model,
        # Several system messages are merged and moved to the front, wherever they stood.
        system="\n\n".join(_text(message) for message in read.messages if message.role == "system"),
        user="\n\n".join(_text(message) for message in read.messages if message.role != "system"),
        stream=read.stream,
        include_usage=read.stream_options is not None and read.stream_options.include_usage,
        max_tokens=chosen,
        seed=read.seed,
        is_structured=read.response_format is not None and read.response_format.type != "text",
        documents=tuple(each for message in read.messages for each in _documents(message)),
    )


def _documents(message: _Message) -> Iterator[bytes]:
    for part in message.content if isinstance(message.content, list) else ():
        address = part.image_url.url if part.image_url else part.file.file_data if part.file else ""
        # What has an address is dropped without an error where that is private: a client cannot know.
        if address.startswith("data:"):
            try:
                yield b64decode(address.partition(",")[2], validate=True)
            except ValueError as error:
                raise BadRequest(f"Invalid request format: {error}") from error


def _text(message: _Message) -> str:
    if isinstance(message.content, list):
        return "".join(part.text for part in message.content)
    return message.content or ""


def _check_range(name: str, value: float | None, least: int, most: int | None) -> None:
    """Refuse as pydantic words it."""
    if value is None:
        return
    if value < least:
        problem, kind = f"greater than or equal to {least}", "greater_than_equal"
    elif most is not None and value > most:
        problem, kind = f"less than or equal to {most}", "less_than_equal"
    else:
        return
    shown = int(value) if float(value).is_integer() else value
    raise BadRequest(
        f"Invalid request format: 1 validation error for CanonicalChatRequest\n{name}\n"
        f"  Input should be {problem} [type={kind}, input_value={shown}, input_type={type(shown).__name__}]\n"
        f"    For further information visit https://errors.pydantic.dev/2.14/v/{kind}"
    )
