"""`evalcli evaluate` against a simulated MindRouter over real HTTP: results, leaderboard, failures."""

from __future__ import annotations

import json

import pytest

from evalcore.runs.leaderboard import parse_leaderboard
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import write_component

MODELS = "models:\n- {{id: {0}, provider: mindrouter, stream: false}}\n"


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    write_component(folder, schema={"type": "object"}, cases={"one": {"a": 1}, "two": {"a": 2}})
    (folder / ".evaluator").mkdir()
    (folder / ".evaluator" / "models.yaml").write_text(MODELS.format("good"))
    return folder


@pytest.fixture
def evaluate(evalcli, library):
    """Evaluate two replicates on a simulated gateway with these faults."""

    def run(*options, faults=(), models=("good",), **environment):
        config = SimConfig(models=tuple(SimModel(id=name) for name in models), faults=faults)
        with running(SimulatedMindRouter(config, AnswerBook.from_folders([library]))) as url:
            settings = {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": "mr2_key"} | environment
            return evalcli(
                "evaluate", "memo", "--replicates", "2", "--prompt-library", library, *options, **settings
            )

    return run


def board(library):
    path = library / "components/memo/leaderboard.json"
    return list(parse_leaderboard(path.read_bytes(), str(path)).runs) if path.exists() else []


def test_a_good_model_is_right_and_its_run_is_in_the_leaderboard(evaluate, library):
    ended = evaluate()
    assert ended.code == 0, ended.err
    assert "good" in ended.out
    assert "1.000" in ended.out
    (run,) = board(library)
    assert (run["model"], run["accuracy"]["mean"], run["origin"]) == ("good", 1, "local")
    (folder,) = (path.parent for path in (library / ".evaluator" / "runs").glob("*/run.json"))
    assert {path.name for path in folder.iterdir()} >= {"run.json", "replies.jsonl", "record.json"}


def test_json_is_the_records_and_nothing_else(evaluate, library):
    ended = evaluate("--json", "--no-leaderboard")
    (record,) = json.loads(ended.out)
    assert (record["replicates"], record["cases"], record["status"]) == (2, 2, "complete")
    assert board(library) == []


def test_a_model_that_is_not_served_is_nothing_to_evaluate(evaluate, library):
    ended = evaluate("--no-wait", models=("other",))
    assert ended.code == 3
    assert "no model is served now" in ended.err
    assert board(library) == []


def test_wrong_answers_are_results_and_a_gate_may_refuse_them(evaluate):
    faults = (Fault(kind="wrong_keys"),)
    ended = evaluate("--fail-under", "0.5", "--json", faults=faults)
    assert ended.code == 1
    assert "gate not met: accuracy below 0.5: good 0" in ended.err
    assert json.loads(ended.out)[0]["accuracy"]["mean"] == 0


def test_replies_that_cannot_be_parsed_are_the_models_failure(evaluate):
    (record,) = json.loads(evaluate("--json", faults=(Fault(kind="broken_json", every=2),)).out)
    assert record["calls"]["parse_error"] == 2
    assert record["accuracy"]["mean"] == 0.5


def test_what_to_know_of_the_runs_stands_below_their_figures(evaluate, library):
    (library / "components/memo/evals/cases/two/expected.json").write_text('{"a": 1}')
    assert "One reply of each case: the intervals" in evaluate("--replicates", "1").out
    several = evaluate("--replicates", "2").out
    assert "One reply of each case" not in several
    assert "good: its answers hardly depend on the input" in several


def test_replies_that_only_thought_are_named_as_a_matter_of_the_budget(evaluate):
    out = evaluate(faults=(Fault(kind="null_content"),)).out
    assert "good: 4 replies spent their tokens on thinking" in out


def test_a_dry_run_calls_nobody_and_writes_nothing(evaluate, library):
    ended = evaluate("--dry-run", MINDROUTER_BASE_URL="http://127.0.0.1:9")
    assert ended.code == 0, ended.err
    assert "What it will take is not known: there is no past run of these models." in ended.out
    assert "unknown" not in ended.out
    assert not (library / ".evaluator" / "runs").exists()


def test_a_dry_run_of_too_few_replicates_says_how_many_would_show_something(evaluate):
    told = "good: in 1 replicate of 2 cases no fall of accuracy would show, however large; --replicates 3, or"
    assert told in evaluate("--dry-run", "--replicates", "1").out
    assert "however large" not in evaluate("--dry-run", "--replicates", "3").out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--replicates", "0"], "--replicates"),
        (["--replicates", "3x"], "'3x' is no whole number"),
        (["--fail-under", "80"], "write 0.8 for 80 %"),
        (["--model", "goood"], "good"),
        (["--models", "nowhere.yaml"], "nowhere.yaml"),
        (["--case", "onne"], "one"),
        (["--resume", "nowhere"], "nowhere"),
    ],
)
def test_wrong_usage_is_one_line_that_names_what_is_wrong(evaluate, library, options, words):
    ended = evaluate(*options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err.splitlines()[-1]
    assert board(library) == []


def test_without_a_key_there_is_nothing_to_evaluate(evaluate):
    ended = evaluate(MINDROUTER_API_KEY=None)
    assert ended.code == 3
    assert "MINDROUTER_API_KEY" in ended.err
    planned = evaluate("--dry-run", MINDROUTER_API_KEY=None)
    assert (planned.code, "no call: no model can be called from here" in planned.out) == (3, True)


def test_a_leaderboard_that_is_not_valid_costs_no_call(evaluate, library):
    (library / "components/memo/leaderboard.json").write_text("{")
    ended = evaluate()
    assert ended.code == 2
    assert "leaderboard.json" in ended.err
    assert (library / "components/memo/leaderboard.json").read_text() == "{"


def test_a_report_of_each_run_is_written_into_the_library_where_it_is_asked_for(evaluate, library):
    ended = evaluate("--publish-report")
    assert ended.code == 0, ended.err
    (page,) = library.rglob("components/*/evals/reports/*/REPORT.md")
    assert (page.parent / "summary.json").exists()
    assert "the report of" in ended.err


def test_a_look_is_not_published(evaluate):
    ended = evaluate("--publish-report", "--scratch")
    assert (ended.code, "a look is not published" in ended.err) == (2, True)


def test_without_a_connection_the_variable_that_holds_the_address_is_named(evaluate):
    ended = evaluate("--no-wait", MINDROUTER_BASE_URL="http://127.0.0.1:9")
    assert (ended.code, "no connection to the server; check MINDROUTER_BASE_URL" in ended.err) == (2, True)
