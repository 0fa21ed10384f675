"""`evalcli models add` and `remove`: what is typed becomes the entry that is meant, and all else stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.library.checkout import MAX_BYTES
from evalcore.library.loader import MODELS_PATH, load_models_file
from evalcore.library.models import Model

Evalcli = Callable[..., Any]
FILE = "# ours\nmodels:\n  - {id: a, provider: openai}  # the first\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "models.yaml"
    found.write_text(FILE)
    return found


@pytest.fixture
def add(evalcli: Evalcli, path: Path) -> Callable[..., Any]:
    """Add the model `b` of OpenAI's."""
    return lambda *options: evalcli("models", "add", "b", "--provider", "openai", "--models", path, *options)


def added(path: Path) -> Model:
    return load_models_file(path).models[-1]


def test_all_that_stood_in_the_file_stays(add, path: Path) -> None:
    ended = add()
    assert (ended.code, ended.out) == (0, f"b is in {path}\n")
    assert path.read_text().startswith(FILE)
    assert [model.id for model in load_models_file(path).models] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        ("7", 7),
        ("true", True),
        ("null", None),
        ('"7"', "7"),
        ("high", "high"),
        ("", ""),
        ("a=b", "a=b"),
        ('{"type": "enabled", "budget_tokens": 1024}', {"type": "enabled", "budget_tokens": 1024}),
        ('["END", "STOP"]', ["END", "STOP"]),
    ],
)
def test_a_param_is_json_or_else_text(add, path: Path, text: str, value: object) -> None:
    assert add("--param", f"x={text}").code == 0
    assert added(path).params == {"x": value}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--param", "temperature=hot"), "`temperature` is not a number; write one"),
        (
            ("--concurrency", "0"),
            "the model to be added: `concurrency`: it should be a whole number of at least 1",
        ),
    ],
)
def test_what_no_server_takes_is_refused_in_words_and_nothing_written(
    add, path: Path, options: tuple[str, str], words: str
) -> None:
    ended = add(*options)
    assert (ended.code, words in ended.err) == (2, True), ended.err
    assert path.read_text() == FILE


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_no_request_can_hold_is_refused_and_nothing_written(add, path: Path, text: str) -> None:
    ended = add("--param", f"temperature={text}")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert path.read_text() == FILE


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--param", "temperature"], "is not NAME=VALUE"),
        (["--param", "=1"], "is not NAME=VALUE"),
        (["--param", "x=1", "--param", "x=2"], "is there twice"),
        (["--param", "x=" + "[" * 100_000], "is nested too deeply"),
        (["--price-input", "1"], "a price needs both directions"),
        (["--price-output", "1"], "a price needs both directions"),
        (["--price-input", "-1", "--price-output", "1"], "--price-input"),
        (["--timeout", "0"], "--timeout"),
        (["--param", "model=other"], "model"),
    ],
)
def test_what_is_mistyped_is_one_line_and_nothing_is_written(add, path: Path, options, words: str) -> None:
    ended = add(*options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert path.read_text() == FILE


def test_a_price_is_of_both_directions_and_free_is_a_price(add, path: Path) -> None:
    assert add("--price-input", "0", "--price-output", "2.5").code == 0
    price = added(path).price
    assert price is not None
    assert (price.input, price.output) == (0.0, 2.5)


def test_what_is_not_said_is_as_of_the_providers_others(evalcli: Evalcli, path: Path) -> None:
    for provider in ("openai", "mindrouter"):
        evalcli("models", "add", f"new-{provider}", "--provider", provider, "--models", path)
    cloud, local = load_models_file(path).models[-2:]
    assert (cloud.stream, cloud.concurrency, local.stream, local.concurrency) == (False, 8, True, 4)


def test_all_options_reach_the_entry(add, path: Path) -> None:
    options = ["--structured-output", "json_schema", "--concurrency", "3", "--stream", "--timeout", "60"]
    assert add(*options).code == 0
    model = added(path)
    assert (model.structured_output, model.concurrency, model.stream, model.timeout) == (
        "json_schema",
        3,
        True,
        60.0,
    )


def test_a_model_that_is_there_already_is_refused(evalcli: Evalcli, path: Path) -> None:
    ended = evalcli("models", "add", "a", "--provider", "openai", "--models", path)
    assert (ended.code, "is there already" in ended.err) == (2, True)
    assert path.read_text() == FILE


def test_the_librarys_file_is_made_where_there_is_none(evalcli: Evalcli, tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    ended = evalcli("models", "add", "a", "--provider", "openai", "--prompt-library", tmp_path)
    assert (ended.code, ended.err) == (0, "`evalcli models check` asks whether it is served\n")
    assert added(tmp_path / MODELS_PATH).id == "a"


def test_outside_of_a_library_it_says_so(evalcli: Evalcli, tmp_path: Path) -> None:
    ended = evalcli("models", "add", "a", "--provider", "openai", "--prompt-library", tmp_path)
    assert (ended.code, f"warning: {tmp_path} has no components/" in ended.err) == (0, True)


def test_a_link_to_a_shared_file_stays_a_link(evalcli: Evalcli, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    assert evalcli("models", "add", "b", "--provider", "openai", "--models", link).code == 0
    assert link.is_symlink()
    assert added(path).id == "b"


def test_a_file_that_is_too_large_to_be_read_whole_is_not_cut_short(add, path: Path) -> None:
    large = FILE + "# " + "x" * MAX_BYTES + "\n"
    path.write_text(large)
    ended = add()
    assert ended.code == 2
    assert path.read_text() == large


@pytest.mark.parametrize("data", [b"\xff\xfe", b"models: [", b"- a"])
def test_a_file_that_cannot_be_used_is_one_line_and_stays(add, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    ended = add()
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert path.read_bytes() == data


def test_a_folder_in_the_place_of_the_file_is_one_line(evalcli: Evalcli, tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / MODELS_PATH).mkdir(parents=True)
    ended = evalcli("models", "add", "a", "--provider", "openai", "--prompt-library", tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_a_removed_model_is_gone_and_the_last_one_stays(add, evalcli: Evalcli, path: Path) -> None:
    add()
    ended = evalcli("models", "remove", "b", "--models", path)
    assert (ended.code, ended.out) == (0, f"b is no longer in {path}\n")
    assert path.read_text() == FILE
    ended = evalcli("models", "remove", "a", "--models", path)
    assert (ended.code, "is its only model" in ended.err) == (2, True)
    assert path.read_text() == FILE
