"""The expected answers that simulated models answer from, found by a call's user message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from evalcore.decoding import decode_json
from evalcore.structs import Frozen, JsonValue
from evalsim.documents.hidden_text import pages_hidden_in
from evalsim.mindrouter.pages import TYPES, Unreadable, pages_of

INPUTS = ("input.md", "input.txt", "input.json")
DOCUMENTS = ("input.pdf", "input.png", "input.jpg", "input.jpeg", "input.tiff", "input.docx")
LARGEST = 8 * 2**20
"""Bytes of a file; the evaluator refuses larger ones too."""


class Expected(Frozen, frozen=True):
    """An expected answer: a JSON value, or Markdown."""

    value: JsonValue
    is_json: bool


class _Entry(Frozen, frozen=True):
    slug: str
    expected: Expected


def _key(text: str) -> str:
    return sha256(text.strip().encode()).hexdigest()


def _key_of_words(text: str) -> str:
    # Readers set tables, columns and line ends in their own ways, and agree on the words.
    return sha256(" ".join(re.findall(r"\w+", text.lower())).encode()).hexdigest()


class AnswerBook:
    """Expected answers by the SHA-256 of the case's input.

    A document is found by the words on its pages, since readers differ in how they set them. Where two
    components have a case with the same input, the prompt decides.
    """

    def __init__(self, answers: Mapping[str, Expected] | None = None) -> None:
        """Make a book of inputs and their answers."""
        self._entries: dict[str, dict[str, Expected]] = {}
        self._by_words: dict[str, dict[str, Expected]] = {}
        self._slugs: dict[str, str] = {}
        for text, expected in (answers or {}).items():
            self._add("", text, expected)

    @classmethod
    def from_folders(cls, folders: Iterable[Path]) -> AnswerBook:
        """Read prompt libraries and data sets; of two answers to one input the later folder's holds."""
        book = cls()
        for folder in folders:
            for prompt in sorted(folder.glob("components/*/prompt.md")):
                book._add_prompt(prompt)
            for slug, case in _cases(folder):
                book._add_case(slug, case)
        return book

    def __len__(self) -> int:
        return len(self._entries) + len(self._by_words)

    def find(self, system: str, user: str) -> Expected | None:
        """The expected answer to a call, or None where the input is not known."""
        entries = self._entries.get(_key(user)) or self._by_words.get(_key_of_words(user))
        if not entries:
            return None
        # The prompt is the one thing in a call that tells two components with the same input apart.
        slug = self._slugs.get(_key(system))
        return entries[slug] if slug in entries else next(iter(entries.values()))

    def find_shown(self, system: str, documents: Iterable[bytes]) -> Expected | None:
        """The expected answer to made documents that are shown to a model; None where they are not known."""
        pages = [page for document in documents for page in pages_hidden_in(document) or ()]
        return self.find(system, "\n\n".join(pages)) if pages else None

    def _add(self, slug: str, text: str, expected: Expected) -> None:
        self._entries.setdefault(_key(text), {})[slug] = expected

    def _add_prompt(self, path: Path) -> None:
        text = _read(path)
        if text is not None:
            _, mark, prompt = text.partition("\n## Prompt\n")
            # What stands above the heading is not sent; a file without it is a prompt as a whole.
            self._slugs[_key(prompt if mark else text)] = path.parent.name

    def _add_case(self, slug: str, case: Path) -> None:
        text = next((text for name in INPUTS if (text := _read(case / name)) is not None), None)
        expected = _expected(case)
        if expected is None:
            return
        if text is not None:
            self._add(slug, text, expected)
        elif (on_pages := _text_on_pages(case)) is not None:
            self._by_words.setdefault(_key_of_words(on_pages), {})[slug] = expected


def _text_on_pages(case: Path) -> str | None:
    """What stands on the pages of a case's document; None where it has none, or none that can be read."""
    path = next((case / name for name in DOCUMENTS if (case / name).is_file()), None)
    if path is None or path.stat().st_size > LARGEST:
        return None
    try:
        text = "\n\n".join(pages_of(path.read_bytes(), TYPES[path.suffix]))
    except (OSError, Unreadable):
        return None
    return text if text.strip() else None


def _cases(folder: Path) -> Iterator[tuple[str, Path]]:
    """The case folders of a library or of data sets with their components, the winning ones last."""
    for case in sorted(folder.glob("components/*/evals/cases/*")):
        yield case.parents[2].name, case
    for case in sorted(folder.glob("*/cases/*")):
        yield case.parents[1].name, case
    for case in sorted(folder.glob("*/*")):
        yield case.parent.name, case


def _expected(case: Path) -> Expected | None:
    text = _read(case / "expected.json")
    if text is not None:
        try:
            value: JsonValue = decode_json(text, JsonValue)
        except msgspec.DecodeError:
            return None
        return Expected(value=value, is_json=True)
    text = _read(case / "expected.md")
    return Expected(value=text, is_json=False) if text is not None else None


def _read(path: Path) -> str | None:
    """A file's text, or None where it is not there, too large or not text: then it is no case of ours."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
