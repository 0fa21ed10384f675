"""The demo's parts: what it copies, what it shows, how it fails, and that nothing it started stays."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from rich.console import Console

from evalcore.errors import CaseError, UnknownComponent
from evalcore.runs.record import RunRecord
from evalsim.demo.failure import DemoError, DemoInputError
from evalsim.demo.github_client import pull_number
from evalsim.demo.leaderboard import leaderboard_rows
from evalsim.demo.library import copy_library, make_sample, read_subject
from evalsim.demo.outside import Outside
from evalsim.demo.processes import free_port, running, wait_until_answering
from evalsim.demo.screen import Screen
from evalsim.demo.service_client import Service, service_environment
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.main import main
from evalsim.testing import make_record

OUTSIDE = Outside(
    mindrouter_url="http://127.0.0.1:1",
    mindrouter_key="mr2_key",
    github_api_url="http://127.0.0.1:2/api/v3",
    github_token="ghp_token",
    repository="owner/prompt-library",
    library_url="http://127.0.0.1:2/owner/prompt-library.git",
    data_sets_url=None,
)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def plain_screen() -> tuple[Screen, io.StringIO]:
    output = io.StringIO()
    return Screen(Console(file=output, highlight=False, width=80)), output


def terminal_screen() -> tuple[Screen, io.StringIO]:
    output = io.StringIO()
    return Screen(Console(file=output, highlight=False, width=80, force_terminal=True)), output


# What is evaluated


def test_a_users_library_is_copied_and_never_touched(tmp_path):
    source = tmp_path / "mine"
    write_sample_library(source)
    (source / ".evaluator" / "models.yaml").unlink()
    as_git(source)
    before = tree(source)
    workspace = copy_library(source, None, tmp_path / "demo")
    as_git(workspace.library)
    assert tree(source) == before
    assert workspace.has_added_models
    assert (workspace.library / "components" / "expense-memo" / "prompt.md").is_file()


def test_a_librarys_own_models_are_kept(tmp_path):
    write_sample_library(tmp_path / "mine")
    models = tmp_path / "mine" / ".evaluator" / "models.yaml"
    models.write_text("models:\n  - {id: my-model, provider: mindrouter}\n")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert not workspace.has_added_models
    assert [model.id for model in read_subject(workspace, "expense-memo").models] == ["my-model"]


def test_a_mindrouter_that_the_library_names_is_left_alone(tmp_path):
    write_sample_library(tmp_path / "mine")
    models = tmp_path / "mine" / ".evaluator" / "models.yaml"
    models.write_text(
        "providers:\n  mindrouter: {base_url: https://mindrouter.example}\n"
        "models:\n  - {id: my-model, provider: mindrouter, concurrency: 2}\n"
    )
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert workspace.has_other_mindrouter
    assert "mindrouter.example" not in (workspace.library / ".evaluator" / "models.yaml").read_text()
    assert [model.concurrency for model in read_subject(workspace, "expense-memo").models] == [2]


def test_a_link_out_of_the_library_is_not_followed(tmp_path):
    write_sample_library(tmp_path / "mine")
    (tmp_path / "secret").write_text("not the library's")
    (tmp_path / "mine" / "leak.md").symlink_to(tmp_path / "secret")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert (workspace.library / "leak.md").is_symlink()


def test_a_folder_that_is_no_library_is_refused(tmp_path):
    with pytest.raises(DemoInputError, match="components"):
        copy_library(tmp_path, None, tmp_path / "demo")


def test_the_samples_cases_come_from_both_places(tmp_path):
    subject = read_subject(make_sample(tmp_path), "award-notice-terms")
    assert [case.name for case in subject.cases] == ["bridge-fund", "coastal-sensors", "soil-carbon"]
    assert [skipped.case for skipped in subject.skipped] == ["unpublished-notice"]


def test_without_a_name_the_first_usable_component_is_taken(tmp_path):
    write_sample_library(tmp_path / "mine")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert read_subject(workspace, None).component.slug == "award-notice-review"


def test_a_component_without_inputs_is_told_clearly(tmp_path):
    write_sample_library(tmp_path / "mine")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    with pytest.raises(CaseError, match="deadline-calendar"):
        read_subject(workspace, "deadline-calendar")


def test_an_unknown_component_is_told_with_a_near_name(tmp_path):
    with pytest.raises(UnknownComponent, match="did you mean expense-memo"):
        read_subject(make_sample(tmp_path), "expense-memos")


def test_a_library_of_cloud_models_alone_is_told(tmp_path):
    workspace = make_sample(tmp_path)
    models = workspace.library / ".evaluator" / "models.yaml"
    models.write_text("models:\n  - {id: claude, provider: anthropic}\n")
    with pytest.raises(DemoInputError, match="no local model"):
        read_subject(workspace, "expense-memo")


# The service


def test_the_service_gets_its_settings_and_none_of_the_users_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the user's own")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    environment = service_environment(OUTSIDE, folder=tmp_path, port=1234, token="t" * 32)
    assert "ANTHROPIC_API_KEY" not in environment
    assert "HTTPS_PROXY" not in environment
    assert environment["EVALHOOK_BIND"] == "127.0.0.1:1234"
    assert "EVALHOOK_DATA_SETS" not in environment


def service_answering(status: int, body: object) -> Service:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    return Service(httpx.Client(transport=transport), "http://service", "t" * 32)


def test_an_unusable_component_is_the_users_matter():
    service = service_answering(422, {"error": {"code": "unusable_component", "message": "no usable case"}})
    with pytest.raises(DemoInputError, match="422 unusable_component: no usable case"):
        service.evaluate({"skill_name": "x"})


def test_another_refusal_is_a_failure_in_the_services_words():
    service = service_answering(503, {"error": {"code": "not_ready", "message": "MindRouter is unreachable"}})
    with pytest.raises(DemoError, match="503 not_ready: MindRouter is unreachable") as caught:
        service.evaluate({"skill_name": "x"})
    assert caught.value.exit_code == 1


def test_a_failed_job_is_a_failure_in_the_services_words():
    job = {
        "job_id": "j",
        "status": "failed",
        "progress": {"done": 3, "total": 9, "errors": 3},
        "result": None,
        "error": {"code": "push_refused", "message": "the remote refused"},
    }
    seen = []
    with pytest.raises(DemoError, match="the job failed: push_refused: the remote refused"):
        service_answering(200, job).finish("j", lambda *figures: seen.append(figures))
    assert seen == [(3, 9, 3)]


def test_an_answer_that_is_not_as_documented_is_a_failure():
    with pytest.raises(DemoError, match="not as documented"):
        service_answering(202, {"job": 1}).evaluate({"skill_name": "x"})


# Processes


def test_what_is_running_ends_with_the_block_and_its_children_too(tmp_path):
    held = tmp_path / "held-open-by-the-child"
    os.mkfifo(held)
    child = f"import time; held = open({str(held)!r}, 'wb'); held.write(b'x'); held.flush(); time.sleep(60)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    command = [sys.executable, "-c", script]
    with running("program", command, environment=os.environ, folder=tmp_path) as process:
        pipe = held.open("rb")
        assert pipe.read(1) == b"x"
    assert not process.is_running
    with pipe:
        assert pipe.read() == b""  # comes only once nobody holds the other end


def test_a_program_that_ends_at_its_start_is_told_at_once(tmp_path):
    command = [sys.executable, "-c", "print('EVALHOOK_BIND is wrong'); raise SystemExit(2)"]
    with running("service", command, environment=os.environ, folder=tmp_path) as process:
        with pytest.raises(DemoError, match="the service ended at its start"):
            wait_until_answering(process, f"http://127.0.0.1:{free_port()}/health", seconds=30)
        assert process.tail(5) == ["EVALHOOK_BIND is wrong"]


def test_the_logs_end_can_leave_out_what_is_no_news(tmp_path):
    command = [sys.executable, "-c", "print('trouble'); [print('poll', n) for n in range(100)]"]
    with running("service", command, environment=os.environ, folder=tmp_path) as process:
        while process.is_running:
            pass
        assert process.tail(1) == ["poll 99"]
        assert process.tail(1, without="poll") == ["trouble"]


def test_a_program_that_never_answers_is_given_up(tmp_path):
    clock = iter([0.0, 1.0, 9.0])
    url = f"http://127.0.0.1:{free_port()}/health"
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        running("service", command, environment=os.environ, folder=tmp_path) as process,
        pytest.raises(DemoError, match="did not answer within 5 s"),
    ):
        wait_until_answering(process, url, seconds=5, clock=lambda: next(clock))


# What is shown


def test_without_a_terminal_there_are_plain_lines():
    screen, output = plain_screen()
    screen.step("The merge", "What happens.")
    screen.fact("title", "eval(x): 1.0.0, 4 models")
    screen.document("A title", "## Heading\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    with screen.progress("calls", 100) as show:
        for done in range(101):
            show(done, 100, 2)
    text = output.getvalue()
    assert "\x1b" not in text
    assert "   | ## Heading" in text
    assert [line.split(": ")[1] for line in text.splitlines() if "calls" in line and "errors" in line] == [
        f"{done} of 100 calls, 2 errors" for done in (0, 25, 50, 75, 100)
    ]


def test_columns_with_nothing_in_them_are_left_out():
    screen, output = plain_screen()
    screen.table(("model", "95 %", "p50"), [("a", "-", "7 ms"), ("bb", "-", "120 ms")], left=("model",))
    assert output.getvalue() == "model     p50\na        7 ms\nbb     120 ms\n"


def test_long_lines_are_not_broken_without_a_terminal():
    screen, output = plain_screen()
    screen.fact("body", "x" * 250)
    assert "x" * 250 in output.getvalue()


def test_what_comes_from_outside_is_text_and_never_markup():
    screen, output = terminal_screen()
    screen.fact("title", "[red]not red[/red] \x1b[2J")
    screen.table(("model",), [("[bold]x[/bold]",)], left=())
    screen.document("t", "a\x1b]0;owned\x07b")
    text = output.getvalue()
    assert "[red]not red[/red]" in text
    assert "[bold]x[/bold]" in text
    assert "\x1b[2J" not in text
    assert "\x1b]0" not in text


def test_on_a_terminal_the_pull_request_is_rendered():
    screen, output = terminal_screen()
    screen.document("A title", "## Results\n\n| model | accuracy |\n|---|---|\n| m | 0.9 |")
    assert "|---|" not in output.getvalue()
    assert "accuracy" in output.getvalue()


def test_a_wide_table_is_broken_and_not_cut_on_a_narrow_terminal():
    screen, output = terminal_screen()
    name = "some-organization/some-very-long-model-name"
    heads, rule = " | ".join(["reproducibility"] * 6), "|".join(["---"] * 6)
    screen.document("t", f"| {heads} |\n|{rule}|\n| {name} |" + " 1 |" * 5)
    assert "\N{HORIZONTAL ELLIPSIS}" not in output.getvalue()


def record(model: str, mean: float | None, status: str = "complete") -> RunRecord:
    return make_record(mean=mean, model=model, status=status)


def test_partial_runs_are_shown_and_never_ranked():
    rows = leaderboard_rows([record("a", 0.9), record("b", 0.95, status="partial"), record("c", 0.4)])
    assert [row[:3] for row in rows] == [("1", "a", "90.0"), ("partial", "b", "95.0"), ("2", "c", "40.0")]


def test_the_pull_requests_number_is_the_end_of_its_address():
    assert pull_number("https://github.example/o/r/pull/17") == 17
    with pytest.raises(DemoError):
        pull_number("https://github.example/o/r/pulls")


# The command


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
