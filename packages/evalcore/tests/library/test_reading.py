"""`documents:` of models.yaml, and inputs.yaml: what they mean, and how their mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.errors import ComponentError, ConfigurationError
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import read_inputs
from evalcore.library.models_file import parse_inputs, parse_models
from evalcore.library.reading import ReadingEntry, ReadingSettings

MODELS = "models:\n- {id: m, provider: mindrouter}\n"


def settings(documents: str) -> ReadingSettings:
    return parse_models(f"{documents}\n{MODELS}".encode(), "models.yaml").documents


def test_without_a_word_mindrouter_reads_in_small_chunks():
    assert settings("") == ReadingSettings("mindrouter", None, 2, 200)
    assert settings("documents:") == ReadingSettings()


def test_every_key_is_taken():
    said = settings("documents: {reader: mindrouter, model: qwen/qwen3.5-122b, chunk_size: 4, dpi: 150}")
    assert said == ReadingSettings("mindrouter", "qwen/qwen3.5-122b", 4, 150)
    assert settings("documents: {reader: none}").reader == "none"


def test_a_component_replaces_what_it_names_and_nothing_else():
    library = ReadingSettings(model="big", dpi=150)
    entry = parse_inputs("reader: text\nchunk_size: 1\n", "inputs.yaml")
    assert entry.over(library) == ReadingSettings("text", "big", 1, 150)
    assert ReadingEntry().over(library) == library


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("reader: ocr", 1, "reader"),
        ("reader: text\npages: 3", 2, "the key is unknown: `pages`"),
        ("chunk_size: 0", 1, "chunk_size"),
        ("chunk_size: two", 1, "chunk_size"),
        ("dpi: 30", 1, "dpi"),
        ("dpi: 6000", 1, "dpi"),
        ("model: ''", 1, "model"),
        ("reader: mindrouter\nmodel: 'a b'", 2, "unusual characters"),
        ("- text", 1, "is not a mapping"),
        ("text", 1, "is not a mapping"),
        ("reader: [", 1, "is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, line, words):
    with pytest.raises(ComponentError) as raised:
        parse_inputs(text, "components/memo/evals/inputs.yaml")
    assert raised.value.where == f"components/memo/evals/inputs.yaml:{line}"
    assert words in raised.value.line
    if not text.startswith(("-", "text", "reader: [")):
        indented = "documents:\n  " + text.replace("\n", "\n  ")
        with pytest.raises(ConfigurationError) as raised_too:
            settings(indented)
        assert raised_too.value.where == f"models.yaml:{line + 1}"


def test_the_readers_that_there_are_are_named_where_one_is_wrong():
    with pytest.raises(ComponentError, match="mindrouter or text or none"):
        parse_inputs("reader: ocr", "inputs.yaml")


def test_a_component_without_the_file_says_nothing(tmp_path: Path):
    (tmp_path / "components/memo/evals").mkdir(parents=True)
    library = FolderCheckout(tmp_path)
    assert read_inputs(library, "memo") == ReadingEntry()
    (tmp_path / "components/memo/evals/inputs.yaml").write_text("reader: text\n")
    assert read_inputs(library, "memo") == ReadingEntry(reader="text")
    (tmp_path / "components/memo/evals/inputs.yaml").write_bytes(b"\xff")
    with pytest.raises(ComponentError, match="is not UTF-8"):
        read_inputs(library, "memo")
