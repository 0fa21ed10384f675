"""What tests are made with: valid by default, refused where it could not exist, the same each time."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import msgspec
import pytest

from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import load_component
from evalcore.runs.leaderboard import parse_leaderboard
from evalsim.testing import (
    Clock,
    git,
    make_case,
    make_component,
    make_job_plan,
    make_models_file,
    make_record,
    make_reply,
    make_run_plan,
    run_on_terminal,
    write_component,
    write_leaderboard,
)


@pytest.mark.parametrize(
    "make", [make_component, make_case, make_job_plan, make_run_plan, make_reply, make_record]
)
def test_each_factory_makes_the_same_valid_thing_twice(make):
    assert make() == make()


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (make_component, {"output": "yaml"}),
        (make_record, {"status": "finished"}),
        (make_record, {"schema_valid_rate": 2}),
        (make_reply, {"latency_ms": "long"}),
        (make_run_plan, {"origin": "elsewhere"}),
    ],
)
def test_what_could_not_exist_is_refused(make, fields):
    with pytest.raises(msgspec.ValidationError):
        make(**fields)


def test_a_component_has_the_hash_of_its_prompt():
    assert make_component(prompt="a").prompt_sha256 != make_component(prompt="b").prompt_sha256


def test_a_case_expects_text_or_a_value():
    assert make_case(expected={"a": 1}).expected == '{"a": 1}'
    assert make_case(expected="# Title").expected == "# Title"
    assert make_case(expected={"a": 1}).sha256 != make_case(expected={"a": 2}).sha256


def test_runs_of_a_higher_number_are_later():
    first, second = make_record(1), make_record(2)
    assert first.run_id < second.run_id
    assert first.finished_at < second.finished_at


def test_models_are_all_of_one_provider():
    file = make_models_file("a", "b", provider="openai")
    assert [(model.id, model.provider) for model in file.models] == [("a", "openai"), ("b", "openai")]


def test_a_component_on_disk_is_one_that_the_library_reads(tmp_path):
    write_component(tmp_path, schema={"type": "object"}, cases={"one": {}})
    component = load_component(FolderCheckout(tmp_path), None, "memo")
    assert (component.version, component.prompt) == ("1.0.0", "Answer.")


def test_a_leaderboard_on_disk_is_valid(tmp_path):
    path = write_leaderboard(tmp_path / "a" / "leaderboard.json", make_record(2), make_record(1))
    assert len(parse_leaderboard(path.read_bytes(), str(path)).runs) == 2


def test_the_same_commands_make_the_same_commits(tmp_path):
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        git(folder, "commit", "-q", "--allow-empty", "-m", "x")
        made.append(git(folder, "rev-parse", "HEAD"))
    assert made[0] == made[1]


def test_git_that_fails_says_why(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        git(tmp_path, "rev-parse", "HEAD")
    assert b"not a git repository" in caught.value.stderr


def test_time_passes_when_everybody_sleeps():
    async def story():
        clock, seen = Clock(), []

        async def sleeper(seconds):
            await clock.sleep(seconds)
            seen.append((seconds, clock.now))
            return seconds

        tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (30, 10, 20)]
        return await clock.run(*tasks), seen

    assert asyncio.run(story()) == ([30, 10, 20], [(10, 10), (20, 20), (30, 30)])


def test_a_program_on_a_terminal_sees_its_width_and_its_errors_go_elsewhere(tmp_path):
    script = (
        "import os, sys; print(os.get_terminal_size().columns, sys.stdout.isatty(), '\\x1b[31mred\\x1b[0m');"
        "print('oops', file=sys.stderr); sys.exit(3)"
    )
    run = run_on_terminal([sys.executable, "-c", script], 61, cwd=tmp_path)
    assert (run.code, run.out, run.err) == (3, "61 True red\n", "oops\n")
