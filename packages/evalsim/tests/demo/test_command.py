"""`evalsim demo` as a command: wrong input is one line, and nothing is loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

from evalsim.library import write_sample_data_sets, write_sample_library
from evalsim.main import main


def test_what_cannot_be_shown_ends_with_exit_code_2_and_one_line(tmp_path):
    write_sample_library(tmp_path / "mine")
    arguments = ["demo", "--prompt-library", str(tmp_path / "mine"), "--skill", "deadline-calendar"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "deadline-calendar" in result.stderr


def test_data_sets_without_a_library_are_wrong_usage(tmp_path):
    write_sample_data_sets(tmp_path)
    assert CliRunner().invoke(main, ["demo", "--data-sets", str(tmp_path)]).exit_code == 2


def test_every_command_is_listed_without_being_loaded():
    command = [sys.executable, "-X", "importtime", "-m", "evalsim.main", "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert all(name in done.stdout for name in ("demo", "mindrouter", "github"))
    assert "litestar" not in done.stderr
