"""The command line against the simulated MindRouter, over real HTTP, in processes of its own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from evalcore.runs.leaderboard import leaderboard_schema, parse_leaderboard
from evalcore.structs import Frozen
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.mindrouter.chat import Sleep
from evalsim.serving import running
from evalsim.testing import Hold, run_on_terminal

KEY = "a-key-of-the-simulation"
SLUG = "award-notice-terms"
CASES = 3
GOOD, POOR = "openai/gpt-oss-120b", "meta-llama/llama-3.1-8b"
EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]


class World(Frozen, frozen=True):
    """A prompt library in git, its data sets beside it, and a MindRouter."""

    library: Path
    mindrouter: SimulatedMindRouter
    url: str

    @property
    def leaderboard(self) -> Path:
        return self.library / "components" / SLUG / "leaderboard.json"

    def command(self, *arguments: object) -> list[str]:
        return [*EVALCLI, *(str(argument) for argument in arguments)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "MINDROUTER_"))
        }
        return kept | {"THE_GATEWAY": self.url, "MINDROUTER_API_KEY": KEY} | more

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.library,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


MODELS = f"""\
providers:
  mindrouter:
    base_url: ${{THE_GATEWAY}}/v1
  lab:
    api: openai
    base_url: https://lab.invalid
    api_key_env: LAB_KEY_THAT_NOBODY_SET
models:
  - id: {GOOD}
    provider: mindrouter
    structured_output: json_schema
    params: {{temperature: 0.1, seed: 1}}
  - {{id: {POOR}, provider: mindrouter, params: {{temperature: 0.7}}}}
  - {{id: keyless, provider: lab}}
"""


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make a world; what is given goes to the simulated MindRouter's settings."""
    library = tmp_path / "prompt-library"
    write_sample_library(library)
    write_sample_data_sets(tmp_path / "evaluation-data-sets")
    (library / ".evaluator" / "models.yaml").write_text(MODELS)
    as_git(library)
    answers = AnswerBook.from_folders([library, tmp_path / "evaluation-data-sets"])
    served: list[Iterator[World]] = []

    def serve(config: SimConfig, sleep: Sleep) -> Iterator[World]:
        mindrouter = SimulatedMindRouter(config, answers, sleep=sleep)
        with running(mindrouter) as url:
            yield World(library=library, mindrouter=mindrouter, url=url)

    def make(*faults: Fault, sleep: Sleep = asyncio.sleep) -> World:
        models = (
            SimModel(id=GOOD, quality=0.97, latency=0.001, quantization="mxfp4"),
            SimModel(id=POOR, quality=0.4, noise=0.5, latency=0.001),
        )
        served.append(serve(SimConfig(models=models, keys=(KEY,), faults=faults), sleep))
        return next(served[-1])

    yield make
    for world in served:
        next(world, None)


def _head(folder: Path) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _changed(folder: Path) -> list[str]:
    line = ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=all"]
    return [entry[3:] for entry in subprocess.check_output(line, text=True).splitlines()]


def test_evaluate_scores_every_model_and_adds_the_runs_to_the_leaderboard(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    done = world.run("evaluate", SLUG, "--replicates", 2)
    assert done.returncode == 0, done.stderr
    leaderboard = parse_leaderboard(world.leaderboard.read_bytes(), "it")
    by_model = {run["model"]: run for run in leaderboard.runs}
    assert by_model.keys() == {GOOD, POOR}
    good, poor = by_model[GOOD], by_model[POOR]
    assert good["accuracy"]["mean"] > poor["accuracy"]["mean"]
    assert (good["origin"], good["prompt_commit"], good["replicates"]) == ("local", _head(world.library), 2)
    assert good["server"]["quantization"] == "mxfp4"
    none = dict.fromkeys(("api_error", "parse_error", "truncated", "unscored", "empty_after_thinking"), 0)
    assert good["calls"] == {"total": 6, "ok": 6} | none
    assert [skipped["case"] for skipped in good["skipped_cases"]] == ["unpublished-notice"]
    # The better model stands first, and progress kept out of the results.
    lines = done.stdout.splitlines()
    assert [lines[2].split()[0], lines[3].split()[0]] == [GOOD, POOR]
    assert "calls; replies in" in done.stderr
    assert lines[0] == SLUG
    # Of all that was written, git sees the leaderboard alone.
    assert _changed(world.library) == [f"components/{SLUG}/leaderboard.json"]
    assert "keyless is skipped: LAB_KEY_THAT_NOBODY_SET is not set" in done.stderr


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_results_on_a_terminal_keep_models_and_status(make_world: Callable[..., World], columns: int) -> None:
    world = make_world()
    line = world.command("evaluate", SLUG, "--replicates", 1, "--no-leaderboard")
    done = run_on_terminal(line, columns, cwd=world.library, environment=world.environment())
    assert done.code == 0, done.err
    assert GOOD in done.out
    assert POOR in done.out
    assert done.out.count("complete") == 2 or "status complete." in done.out
    assert max(map(len, done.out.splitlines())) <= columns


def test_without_waiting_a_model_that_is_not_served_is_left_out_at_once(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    with (world.library / ".evaluator" / "models.yaml").open("a") as file:
        file.write("  - {id: gamma, provider: mindrouter}\n")
    line = ("evaluate", SLUG, "--replicates", 1, "--no-leaderboard", "--no-wait")
    done = world.run(*line, "--model", "gamma", "--model", GOOD)
    assert done.returncode == 1, done.stderr
    assert "gamma: skipped: mindrouter lists no backend for it now" in done.stderr
    assert "looking again" not in done.stderr


def test_results_say_what_accuracy_means_and_what_identical_replies_leave_open(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    lines = world.run("evaluate", "expense-memo", "--replicates", 3, "--model", GOOD).stdout.splitlines()
    assert lines[0] == "expense-memo; wording, not correctness"
    assert lines[-1] == f"{GOOD}: 3 identical replies: up to 63 % may still differ."


def test_a_second_evaluation_adds_its_runs_and_keeps_the_first(make_world: Callable[..., World]) -> None:
    world = make_world()
    options = ("--replicates", 1, "--json")
    first = json.loads(world.run("evaluate", SLUG, *options).stdout)
    done = world.run("evaluate", SLUG, *options, GITHUB_ACTIONS="true")
    second = json.loads(done.stdout)
    leaderboard = parse_leaderboard(world.leaderboard.read_bytes(), "it")
    ids = {run["run_id"] for run in leaderboard.runs}
    assert ids == {run["run_id"] for run in (*first, *second)}
    assert len(ids) == 4
    assert {run["origin"] for run in second} == {"actions"}
    # The leaderboard that the first one wrote is no change to the component.
    assert {run["prompt_commit"] for run in second} == {_head(world.library)}
    assert world.run("leaderboard", "validate", world.leaderboard).returncode == 0
    assert world.run("leaderboard", "merge", world.leaderboard, world.leaderboard).stdout.encode() == (
        world.leaderboard.read_bytes()
    )


def test_an_uncommitted_prompt_has_no_commit(make_world: Callable[..., World]) -> None:
    world = make_world()
    prompt = world.library / "components" / SLUG / "prompt.md"
    prompt.write_text(prompt.read_text() + "\nBe brief.\n")
    done = world.run("evaluate", SLUG, "--replicates", 1, "--model", GOOD, "--json")
    (record,) = json.loads(done.stdout)
    assert record["prompt_commit"] is None
    assert "prompt_commit is null" in done.stderr


def test_a_broken_case_is_exit_code_1_and_stands_under_the_results(make_world: Callable[..., World]) -> None:
    world = make_world()
    case = world.library / "components" / SLUG / "evals" / "cases" / "half-a-notice"
    case.mkdir(parents=True)
    (case / "input.md").write_text("?")
    line = ("evaluate", SLUG, "--replicates", 1, "--model", GOOD)
    assert world.run(*line, "--no-leaderboard").returncode == 0
    (case / "expected.json").write_text("{")
    done = world.run(*line)
    assert done.returncode == 1
    assert "1 case is broken and left out, so the figures are of the others alone: half-a-n" in done.stdout
    assert "half-a-notice/expected.json: is not JSON" in done.stderr
    (run,) = parse_leaderboard(world.leaderboard.read_bytes(), "it").runs
    assert [case["case"] for case in run["skipped_cases"] if case.get("broken")] == ["half-a-notice"]
    allowed = world.run(*line, "--allow-skipped", "--json")
    assert allowed.returncode == 0
    assert "1 case is broken" in allowed.stderr


def test_what_an_evaluation_does_not_refuse_is_warned_of(make_world: Callable[..., World]) -> None:
    world = make_world()
    component = world.library / "components" / SLUG
    case = component / "evals" / "cases" / "odd-notice"
    case.mkdir(parents=True)
    (case / "input.md").write_text("?")
    (case / "expected.json").write_text("{}")
    (component / "evals" / "scoring.yml").write_text("fields: {}")
    prompt = component / "prompt.md"
    prompt.write_text(prompt.read_text() + "\nBe brief.\n")
    done = world.run("evaluate", SLUG, "--replicates", 1, "--model", GOOD, "--no-leaderboard")
    assert done.returncode == 0
    assert (
        f"warning: components/{SLUG}/evals/cases/odd-notice/expected.json: contradicts the schema"
        in done.stderr
    )
    assert "evals/scoring.yml: is no scoring policy that is read" in done.stderr
    assert "prompt.md: the prompt has changed since commit " in done.stderr


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (("--fail-under", 0.5), f"accuracy below 0.5: {POOR} 0."),
        (("--fail-under", 0.3, "--fail-under-lower"), f"lower limit of the accuracy below 0.3: {POOR} 0."),
        (("--fail-under-lower", 0.3), f"lower limit of the accuracy below 0.3: {POOR} 0."),
        (("--fail-under", 0.01), None),
    ],
)
def test_a_gate_that_is_not_met_is_exit_code_1_and_one_line(
    make_world: Callable[..., World], gate: tuple[object, ...], said: str | None
) -> None:
    done = make_world().run("evaluate", SLUG, "--replicates", 1, *gate)
    assert done.returncode == (0 if said is None else 1)
    lines = [line for line in done.stderr.splitlines() if line.startswith("gate not met: ")]
    assert len(lines) == (0 if said is None else 1)
    assert said is None or lines[0].startswith(f"gate not met: {said}")


def test_a_look_at_one_case_is_recorded_nowhere(make_world: Callable[..., World]) -> None:
    world = make_world()
    line = ("evaluate", SLUG, "--replicates", 1, "--model", GOOD)
    (known, *_) = json.loads(world.run(*line, "--dry-run", "--json").stdout)["cases"]
    done = world.run(*line, "--case", known, "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert [result["case"] for result in record["case_results"]] == [known]
    assert "kept apart" in done.stderr
    assert not world.leaderboard.exists()
    runs = world.library / ".evaluator" / "runs"
    assert not list(runs.glob("*/run.json"))
    (run,) = runs.glob("scratch/*/run.json")
    # Resuming it does not record it either.
    (run.parent / "record.json").unlink()
    assert world.run("evaluate", SLUG, "--resume", run.parent).returncode == 0
    assert not world.leaderboard.exists()
    absent = world.run(*line, "--case", f"{known}x")
    assert absent.returncode == 2
    assert f"did you mean `{known}`?" in absent.stderr
    left_out = world.run(*line, "--case", "unpublished-notice")
    assert (left_out.returncode, "cannot be used" in left_out.stderr) == (2, True)


def test_a_scratch_run_is_recorded_nowhere(make_world: Callable[..., World]) -> None:
    world = make_world()
    line = ("evaluate", SLUG, "--replicates", 1, "--model", GOOD, "--runs-dir", "kept", "--scratch")
    assert world.run(*line).returncode == 0
    assert not world.leaderboard.exists()
    assert len(list(world.library.glob("kept/scratch/*/record.json"))) == 1


def test_quiet_leaves_results_alone_and_verbose_says_what_is_read(make_world: Callable[..., World]) -> None:
    world = make_world()
    line = ("evaluate", SLUG, "--replicates", 1, "--model", GOOD, "--scratch")
    quiet = world.run(*line, "-q")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert GOOD in quiet.stdout
    assert world.run("-q", *line).stderr == ""
    verbose = world.run(*line, "-v", "--dry-run").stderr
    assert f"prompt library {world.library}, at commit {_head(world.library)[:12]}" in verbose
    assert "scoring policy none" in verbose
    refused = world.run("evaluate", "absent", "-q")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_dry_run_calls_nothing_and_writes_nothing(make_world: Callable[..., World]) -> None:
    world = make_world()
    done = world.run("evaluate", SLUG, "--dry-run")
    assert done.returncode == 0
    assert "60 calls" in done.stdout
    assert "unpublished-notice" in done.stdout
    assert not world.mindrouter.seen
    assert not (world.library / ".evaluator" / "runs").exists()
    plan = json.loads(world.run("evaluate", SLUG, "--dry-run", "--json").stdout)
    assert (plan["calls"], plan["models"]) == (60, [GOOD, POOR])
    assert [(item["model"], item["hours"]) for item in plan["forecast"]] == [(GOOD, None), (POOR, None)]


def test_a_dry_run_tells_what_past_runs_took_and_what_this_one_could_show(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    (record,) = json.loads(world.run("evaluate", SLUG, "--model", GOOD, "--replicates", 2, "--json").stdout)
    line = ("evaluate", SLUG, "--dry-run", "--replicates", 10)
    told = {item["model"]: item for item in json.loads(world.run(*line, "--json").stdout)["forecast"]}
    assert told[GOOD]["past_runs"] == 1
    assert told[GOOD]["hours"] > 0
    assert told[GOOD]["tokens"]["prompt"] == 5 * record["tokens"]["prompt"]
    assert 0 < told[GOOD]["smallest_change"] < 1
    assert told[POOR]["tokens"] == {"prompt": None, "completion": None}
    assert "unknown" in world.run(*line).stdout


def test_an_invalid_leaderboard_stops_it_before_any_call(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.leaderboard.write_text("{ not JSON")
    done = world.run("evaluate", SLUG)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"evalcli: components/{SLUG}/leaderboard.json: ")
    assert world.leaderboard.read_text() == "{ not JSON"
    assert not world.mindrouter.gateway.calls
    assert world.run("evaluate", SLUG, "--replicates", 1, "--no-leaderboard").returncode == 0
    assert world.leaderboard.read_text() == "{ not JSON"


def test_a_run_without_enough_replies_is_partial_recorded_and_exit_code_1(
    make_world: Callable[..., World],
) -> None:
    world = make_world(Fault(kind="quota", model=POOR))
    done = world.run("evaluate", SLUG, "--replicates", 1, "--json")
    assert done.returncode == 1
    records = {record["model"]: record for record in json.loads(done.stdout)}
    assert (records[POOR]["status"], records[GOOD]["status"]) == ("partial", "complete")
    assert done.stderr.count(f"{POOR}: a call failed: ") == 1
    assert "quota" in done.stderr
    shown = world.run("leaderboard", "show", SLUG).stdout.splitlines()
    assert [line.split()[:2] for line in shown[2:4]] == [["1", GOOD], ["-", POOR]]


def test_a_folder_for_runs_that_cannot_be_made_stops_it_before_any_call(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    inside_a_file = world.library / "component_catalog.json" / "runs"
    done = world.run("evaluate", SLUG, "--model", GOOD, "--runs-dir", inside_a_file)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = (text for text in done.stderr.splitlines() if not text.startswith("warning: "))
    assert line.startswith(f"evalcli: {inside_a_file}: cannot be made (")
    assert not world.mindrouter.gateway.calls


def test_an_absent_mindrouter_is_one_line_and_exit_code_2(make_world: Callable[..., World]) -> None:
    world = make_world()
    done = world.run("evaluate", SLUG, "--replicates", 1, THE_GATEWAY="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "mindrouter" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_refused_key_is_one_line_and_exit_code_2(make_world: Callable[..., World]) -> None:
    world = make_world()
    done = world.run("evaluate", SLUG, "--replicates", 1, MINDROUTER_API_KEY="wrong-key")
    assert done.returncode == 2
    assert "wrong-key" not in done.stderr + done.stdout
    assert done.stderr.splitlines()[-1].startswith("evalcli: ")


def test_no_key_at_all_is_exit_code_3(make_world: Callable[..., World]) -> None:
    world = make_world()
    done = world.run("evaluate", SLUG, "--json", MINDROUTER_API_KEY="")
    assert (done.returncode, json.loads(done.stdout)) == (3, [])


@pytest.mark.parametrize(
    ("name", "start"),
    [
        (signal.SIGINT, []),
        (signal.SIGTERM, []),
        # As a script starts what it puts into the background.
        (signal.SIGINT, ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]),
    ],
)
def test_an_interrupted_job_goes_on_where_it_was(
    make_world: Callable[..., World], name: signal.Signals, start: list[str]
) -> None:
    replicates, passing = 4, 10
    hold = Hold(passing)
    world = make_world(sleep=hold.sleep)
    line = world.command("evaluate", SLUG, "--replicates", replicates, "--concurrency", 2, "--json")
    with subprocess.Popen(
        [*start, *line],
        cwd=world.library,
        env=world.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert hold.is_held.wait(30)
        process.send_signal(name)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert (out, "Traceback" in err) == ("", False)
    command = err.splitlines()[-1].strip().removeprefix("evalcli ").split()
    assert command[:3] == ["evaluate", SLUG, "--resume"]
    kept = _replies(world)
    # One call is held; the others that were let pass may still have been on their way.
    assert passing - 1 <= len(kept) <= passing
    hold.open()

    done = world.run(*command)
    assert done.returncode == 0, done.stderr
    assert {record["model"] for record in json.loads(done.stdout)} == {GOOD, POOR}
    # Every call once: what was kept was not asked again.
    assert Counter(_replies(world).values()) == {1: 2 * CASES * replicates}
    assert kept.keys() <= _replies(world).keys()
    runs = parse_leaderboard(world.leaderboard.read_bytes(), "it").runs
    assert {run["status"] for run in runs} == {"complete"}
    assert len({run["job_id"] for run in runs}) == 1

    again = world.run(*command)
    assert (again.returncode, again.stdout) == (0, done.stdout)


def _replies(world: World) -> Counter[tuple[str, str, int]]:
    lines = [
        (path.parent.name, json.loads(line))
        for path in (world.library / ".evaluator" / "runs").glob("*/replies.jsonl")
        for line in path.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    return Counter((run, reply["case"], reply["replicate"]) for run, reply in lines)


def test_what_was_finished_before_an_interruption_is_in_the_leaderboard(
    make_world: Callable[..., World],
) -> None:
    world = make_world(Fault(kind="silent", model=POOR))
    absent = "google/gemma-3-27b"
    models = world.library / ".evaluator" / "models.yaml"
    models.write_text(f"{models.read_text()}  - {{id: {absent}, provider: mindrouter}}\n")
    with subprocess.Popen(
        world.command("evaluate", SLUG, "--replicates", 1),
        cwd=world.library,
        env=world.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stderr is not None
        assert any(line.startswith(f"{GOOD}: complete") for line in process.stderr)
        # As a terminal does it: to the whole group, our own children included.
        os.killpg(process.pid, signal.SIGINT)
        err = process.stderr.read()
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert [run["model"] for run in parse_leaderboard(world.leaderboard.read_bytes(), "it").runs] == [GOOD]
    *_, resume, _, others = err.splitlines()
    assert others.strip() == f"evalcli evaluate {SLUG} --model {absent} --replicates 1"

    world.mindrouter.faults.clear()
    done = world.run(*resume.strip().removeprefix("evalcli ").split(), "--json")
    assert done.returncode == 0, done.stderr
    assert {record["model"] for record in json.loads(done.stdout)} == {GOOD, POOR}
    assert len(parse_leaderboard(world.leaderboard.read_bytes(), "it").runs) == 2


def test_an_interruption_while_another_process_writes_says_how_to_add_the_runs(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    folder = os.open(world.leaderboard.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with subprocess.Popen(
        world.command("evaluate", SLUG, "--replicates", 1, "--model", GOOD),
        cwd=world.library,
        env=world.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{SLUG}\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    os.close(folder)
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert not world.leaderboard.exists()
    (command,) = (line for line in err.splitlines() if "--resume" in line)
    done = world.run(*command.strip().removeprefix("evalcli ").split())
    assert done.returncode == 0, done.stderr
    assert [run["model"] for run in parse_leaderboard(world.leaderboard.read_bytes(), "it").runs] == [GOOD]


def test_a_full_disk_keeps_what_came_and_says_how_to_go_on(make_world: Callable[..., World]) -> None:
    world = make_world()
    line = world.command("evaluate", SLUG, "--replicates", 30, "--model", GOOD)
    # The limit on a file's size stands in for the full disk: run.json fits, replies.jsonl outgrows it.
    full = subprocess.run(
        ["sh", "-c", 'ulimit -f 80; exec "$@"', "sh", *line],
        cwd=world.library,
        env=world.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    *_, command, error = full.stderr.splitlines()
    assert "replies.jsonl" in error
    kept = _replies(world)
    assert 0 < len(kept) < CASES * 30
    done = world.run(*command.strip().removeprefix("evalcli ").split())
    assert done.returncode == 0, done.stderr
    assert Counter(_replies(world).values()) == {1: CASES * 30}


def test_a_terminal_gets_bars_and_a_framed_table(make_world: Callable[..., World]) -> None:
    world = make_world()
    main_end, terminal = pty.openpty()
    with subprocess.Popen(
        world.command("evaluate", SLUG, "--replicates", 2),
        cwd=world.library,
        env=world.environment(TERM="xterm", COLUMNS="160"),
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        seen = b"".join(iter(lambda: _read(main_end), b"")).decode()
    os.close(main_end)
    assert process.returncode == 0, seen
    assert f"{GOOD}: complete" in seen
    assert "6/6" in seen
    assert "─" in seen


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux's way to say that the other end is closed
        return b""


def test_resuming_refuses_what_would_change_the_plan(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.run("evaluate", SLUG, "--replicates", 1, "--model", GOOD)
    (plan,) = (world.library / ".evaluator" / "runs").glob("*/run.json")
    run_dir = plan.parent
    done = world.run("evaluate", SLUG, "--resume", run_dir, "--replicates", 5)
    assert (done.returncode, "--replicates cannot change it" in done.stderr) == (2, True)
    other = world.run("evaluate", "expense-memo", "--resume", run_dir)
    assert (other.returncode, f"the run is of {SLUG}" in other.stderr) == (2, True)
    nowhere = world.run("evaluate", SLUG, "--resume", world.library)
    assert (nowhere.returncode, "run.json" in nowhere.stderr) == (2, True)


def test_models_check_says_what_is_served_now(make_world: Callable[..., World]) -> None:
    world = make_world()
    done = world.run("models", "check")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()[1:]}
    assert rows[GOOD][:7] == [GOOD, "mindrouter", "yes", "ok", "yes", "131072", "mxfp4"]
    refused = world.run("models", "check", MINDROUTER_API_KEY="wrong-key")
    assert (refused.returncode, "refused" in refused.stdout) == (1, True)


def test_models_add_is_evaluated_next(make_world: Callable[..., World]) -> None:
    world = make_world()
    path = world.library / ".evaluator" / "models.yaml"
    path.write_text("# ours\nproviders: {mindrouter: {base_url: '${THE_GATEWAY}'}}\nmodels: []  # none yet\n")
    assert (
        world.run("models", "add", POOR, "--provider", "mindrouter", "--param", "temperature=0.5").returncode
        == 0
    )
    assert "# ours" in path.read_text()
    listed = world.run("models", "list").stdout
    assert listed.splitlines()[1].split() == [POOR, "mindrouter", "none", "present"]
    (record,) = json.loads(world.run("evaluate", SLUG, "--replicates", 1, "--json").stdout)
    assert (record["model"], record["params"]) == (POOR, {"temperature": 0.5})


def test_json_records_meet_the_schema(make_world: Callable[..., World]) -> None:
    world = make_world()
    done = world.run("evaluate", "expense-memo", "--replicates", 1, "--json", "--no-leaderboard")
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout) == json.loads(done.stdout)
    assert set(json.loads(done.stdout)[0]) == set(leaderboard_schema()["$defs"]["RunRecord"]["properties"])


def test_records_come_out_the_same_from_the_kept_replies_in_any_order(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    assert world.run("evaluate", SLUG, "--replicates", 3).returncode == 0
    runs = sorted((world.library / ".evaluator" / "runs").glob("*/"))
    before = [(run / "record.json").read_bytes() for run in runs]
    for run in runs:
        for replies in run.glob("replies.jsonl"):
            replies.write_text("".join(reversed(replies.read_text().splitlines(keepends=True))))
    for seed in ("0", "7"):
        done = world.run("rescore", *runs, PYTHONHASHSEED=seed)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("identical, byte for byte") == len(runs) == 2
    assert [(run / "record.json").read_bytes() for run in runs] == before
    shown = world.run("leaderboard", "rescore", SLUG)
    assert "0 runs rescored, 2 at scoring version" in shown.stdout


def test_two_versions_are_compared_after_their_evaluations(make_world: Callable[..., World]) -> None:
    world = make_world()
    line = ("evaluate", SLUG, "--replicates", 5, "--model", GOOD)
    assert world.run(*line).returncode == 0
    first = world.run("compare", SLUG)
    assert (first.returncode, "no earlier version" in first.stderr) == (3, True)
    prompt = world.library / "components" / SLUG / "prompt.md"
    version = next(text for text in prompt.read_text().splitlines() if text.startswith("version:"))
    prompt.write_text(prompt.read_text().replace(version, "version: 99.0.0"))
    assert world.run(*line).returncode == 0
    (told,) = json.loads(world.run("compare", SLUG, "--json").stdout)["models"]
    assert told["after"]["version"] == "99.0.0"
    assert told["verdict"] == "no evidence"
    assert 0 < told["smallest_change"] < 1


def _plant(world: World) -> None:
    """A case of the data sets that cannot be used, whose reason would quote it."""
    broken = world.library.parent / "evaluation-data-sets" / SLUG / "zebra-broken"
    broken.mkdir()
    (broken / "input.md").write_text("?")
    (broken / "expected.json").write_text('{"zebra-key": 1, "zebra-key": 2}')


@pytest.mark.parametrize("setting", [{"GITHUB_ACTIONS": "true"}, {"EVALHOOK_PUBLISH_CASES": "none"}], ids=str)
def test_cases_of_the_data_sets_are_not_published_from_actions(
    make_world: Callable[..., World], setting: dict[str, str]
) -> None:
    world = make_world()
    _plant(world)
    data_sets = world.library.parent / "evaluation-data-sets" / SLUG
    private = {case.name for case in data_sets.iterdir() if case.is_dir()}
    options = ("--replicates", 1, "--json", "--model", GOOD)
    runs = [json.loads((done := world.run("evaluate", SLUG, *options, **setting)).stdout) for _ in range(2)]
    told = done.stdout + done.stderr + world.leaderboard.read_text()
    assert [name for name in {*private, "zebra"} if name in told] == []
    assert "cannot be used; why is told by" in done.stderr
    shown = [{case["case"] for case in run["case_results"]} for (run,) in runs]
    assert shown[0] == shown[1], "a case keeps its hash"
    hashed = {name for name in shown[0] if name.startswith("unpaired-")}
    assert len(hashed) == (0 if "EVALHOOK_PUBLISH_CASES" in setting else len(private) - 1)
    kept = (world.library / ".evaluator" / "runs" / runs[0][0]["run_id"] / "record.json").read_text()
    assert all(name in kept for name in private), "what is kept stays whole"


def test_a_wrong_way_to_publish_cases_is_told_before_any_call(make_world: Callable[..., World]) -> None:
    done = make_world().run("evaluate", SLUG, EVALHOOK_PUBLISH_CASES="all")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("evalcli: EVALHOOK_PUBLISH_CASES: is not a way to publish cases")
