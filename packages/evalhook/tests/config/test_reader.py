"""Settings are looked up in an environment, secrets in files too; every mistake is collected, none shown."""

from __future__ import annotations

import os

import pytest

from evalcore.secret import Secret
from evalhook.config import values
from evalhook.config.reader import MAX_SECRET_BYTES, SettingReader
from evalhook.config.table import Defaulted, Setting

PORT = Defaulted("PORT", values.whole_number(1, 9), "5", "a port", default=5)
NAME = Setting("NAME", values.one_line, "none", "a name")
KEY = Setting("KEY", values.one_line_secret, "none", "a key", is_secret=True)


def problems(reader):
    return [error.line for error in reader.problems]


@pytest.mark.parametrize("environ", [{}, {"NAME": ""}, {"NAME": "  "}])
def test_an_empty_value_is_none(environ):
    reader = SettingReader(environ)
    assert reader.optional(NAME) is None
    assert reader.shown == {"NAME": "not set"}
    assert reader.problems == []


def test_a_value_is_read_without_the_blanks_around_it():
    reader = SettingReader({"NAME": " memo "})
    assert reader.optional(NAME) == "memo"
    assert reader.shown == {"NAME": "memo"}


def test_a_default_stands_where_nothing_is_set_and_is_shown_as_such():
    reader = SettingReader({})
    assert reader.value(PORT) == 5
    assert reader.shown == {"PORT": "not set (default: 5)"}


def test_a_wrong_value_is_told_and_the_default_goes_on():
    reader = SettingReader({"PORT": "77"})
    assert reader.value(PORT) == 5
    assert problems(reader) == ["PORT: is not a whole number from 1 to 9; write it in digits"]
    assert reader.failed(PORT)
    assert reader.failed(NAME, PORT)
    assert not reader.failed(NAME)


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ((), "none"),
        (True, "1"),
        (False, "0"),
        (("127.0.0.1", 8080), "127.0.0.1:8080"),
        ("", "none"),
        ("main", "main"),
        (16, "16"),
        (None, "None"),
    ],
)
def test_a_default_is_shown_as_it_would_be_written(default, shown):
    reader = SettingReader({})
    reader.value(Defaulted("X", values.one_line, "x", "x", default=default))
    assert reader.shown["X"] == f"not set (default: {shown})"


def test_what_must_be_set_and_is_not_is_told_with_what_to_do():
    reader = SettingReader({})
    assert reader.required(NAME, "stand-in") == "stand-in"
    assert problems(reader) == ["NAME: is not set; set it; `evalhook check` lists every setting"]


def test_a_secret_that_must_be_set_may_come_from_a_file():
    reader = SettingReader({})
    reader.required(KEY, Secret(""))
    assert problems(reader) == ["KEY: is not set; set it, or KEY_FILE to the path of a file that holds it"]


def test_a_required_setting_that_is_wrong_is_told_once():
    reader = SettingReader({"PORT": "x"})
    reader.required(PORT, 1)
    assert len(reader.problems) == 1


def test_a_secret_is_shown_as_set_and_nothing_more():
    reader = SettingReader({"KEY": " ghp_value "})
    assert reader.optional(KEY) == Secret("ghp_value")
    assert reader.shown == {"KEY": "set"}


def test_a_secret_is_read_from_its_file_without_the_blanks_around_it(tmp_path):
    file = tmp_path / "key"
    file.write_text("ghp_value\n")
    reader = SettingReader({"KEY_FILE": str(file)})
    assert reader.optional(KEY) == Secret("ghp_value")
    assert reader.secret_path(KEY) == file
    assert SettingReader({"KEY": "x"}).secret_path(KEY) is None


def test_a_secret_given_twice_is_told_and_neither_is_taken(tmp_path):
    reader = SettingReader({"KEY": "x", "KEY_FILE": str(tmp_path)})
    assert reader.optional(KEY) is None
    assert problems(reader) == ["KEY: and KEY_FILE are both set; set one of the two"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "it is empty"),
        (b" \n ", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"x" * (MAX_SECRET_BYTES + 1), "it is too large"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_its_setting(tmp_path, data, reason):
    file = tmp_path / "key"
    if data is not None:
        file.write_bytes(data)
    reader = SettingReader({"KEY_FILE": str(file)})
    assert reader.optional(KEY) is None
    assert problems(reader) == [
        f"KEY: cannot be read from its file: {reason}; mend the file that KEY_FILE names"
    ]
    assert reader.shown == {"KEY": "not set"}


def test_a_folder_is_no_file(tmp_path):
    reader = SettingReader({"KEY_FILE": str(tmp_path)})
    assert reader.optional(KEY) is None
    assert "Is a directory" in reader.problems[0].line


@pytest.mark.parametrize("exists", [True, False], ids=["empty", "absent"])
def test_a_secret_that_comes_and_goes_may_be_away(tmp_path, exists):
    file = tmp_path / "next"
    if exists:
        file.touch()
    reader = SettingReader({"KEY_FILE": str(file)})
    assert reader.rotating(KEY) is None
    assert reader.problems == []


def test_a_secret_that_comes_and_goes_is_read_when_it_is_there(tmp_path):
    file = tmp_path / "next"
    file.write_text("value")
    assert SettingReader({"KEY_FILE": str(file)}).rotating(KEY) == Secret("value")
    assert SettingReader({"KEY": "value"}).rotating(KEY) == Secret("value")
    assert SettingReader({}).rotating(KEY) is None


def test_a_rotating_secrets_file_that_cannot_be_reached_is_told(tmp_path):
    not_a_folder = tmp_path / "file"
    not_a_folder.write_text("x")
    reader = SettingReader({"KEY_FILE": os.fspath(not_a_folder / "next")})
    assert reader.rotating(KEY) is None
    assert "Not a directory" in reader.problems[0].line


def test_every_mistake_is_collected():
    reader = SettingReader({"PORT": "x", "NAME": "a\x00b"})
    reader.value(PORT)
    reader.optional(NAME)
    reader.required(KEY, Secret(""))
    assert [error.where for error in reader.problems] == ["PORT", "NAME", "KEY"]


def test_a_secret_in_the_wrong_place_is_not_repeated():
    reader = SettingReader({"PORT": "ghp_0123456789", "KEY": "ghp_01 23456789"})
    reader.value(PORT)
    reader.optional(KEY)
    assert "ghp_" not in " ".join(problems(reader))
