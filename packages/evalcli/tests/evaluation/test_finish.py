"""After the calls: results, leaderboard, gates, and how to go on with what was cut short."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from msgspec import structs

from evalcli.evaluation import finish
from evalcli.evaluation.finish import FinishOptions, call_and_finish
from evalcli.evaluation.run import CutShort, Evaluation
from evalcli.exits import Exit, Interrupted
from evalcli.leaderboards.published_cases import PublishedCases
from evalcli.reports.gates import AccuracyGate
from evalcore.errors import LeaderboardError, ProviderUnreachable
from evalcore.evaluation.outcome import RunOutcome
from evalcore.library.component import SkippedCase
from evalcore.library.models import Model
from evalcore.runs.leaderboard import parse_leaderboard
from evalsim.testing import make_job_plan, make_record

MODELS = tuple(Model(id=name, provider="mindrouter") for name in ("big", "small"))


@pytest.fixture
def library(tmp_path):
    (tmp_path / "components" / "memo").mkdir(parents=True)
    return tmp_path


def options(library, **changes):
    values = {
        "skill": "memo",
        "prompt_library": library,
        "concurrency": 4,
        "no_leaderboard": False,
        "is_scratch": False,
        "as_json": False,
        "allow_skipped": False,
        "publish_report": False,
        "gate": AccuracyGate(),
        "published": PublishedCases("names"),
        "planned": ("--replicates", "3"),
        "others": ("--json",),
    }
    return FinishOptions(**values | changes)


def evaluation(library, **changes):
    job = make_job_plan(models=MODELS, **changes.pop("job", {}))
    return Evaluation(job=job, endpoints={}, runs_dir=library / "runs", **changes)


def outcome(library, model="big", mean=1.0, status="complete", number=1):
    record = make_record(number, model=model, mean=mean, status=status)
    return RunOutcome(model, status, None, record, library / "runs" / record.run_id)


def ended(monkeypatch, library, outcomes, *, job=None, **changes):
    monkeypatch.setattr(finish, "make_calls", lambda *_: outcomes)
    return call_and_finish(evaluation(library, job=job or {}), options(library, **changes))


def runs(library):
    path = library / "components/memo/leaderboard.json"
    return [run["model"] for run in parse_leaderboard(path.read_bytes(), "x").runs] if path.exists() else []


def test_finished_runs_are_shown_and_added(monkeypatch, library, capsys):
    code = ended(monkeypatch, library, [outcome(library), outcome(library, "small", number=2)])
    assert code is Exit.DONE
    assert runs(library) == ["big", "small"]
    seen = capsys.readouterr()
    assert "big" in seen.out
    assert "2 runs are in " in seen.err


@pytest.mark.parametrize("change", [{"no_leaderboard": True}, {"is_scratch": True}])
def test_what_counts_nowhere_is_added_nowhere(monkeypatch, library, change):
    ended(monkeypatch, library, [outcome(library)], **change)
    assert runs(library) == []


def test_json_is_the_records_alone(monkeypatch, library, capsys):
    ended(monkeypatch, library, [outcome(library)], as_json=True)
    assert [record["model"] for record in json.loads(capsys.readouterr().out)] == ["big"]


@pytest.mark.parametrize(
    ("outcomes", "change", "code"),
    [
        ([("complete", 1.0)], {}, Exit.DONE),
        ([("partial", 1.0)], {}, Exit.INCOMPLETE),
        ([("complete", 0.4)], {"gate": AccuracyGate(mean=0.5)}, Exit.INCOMPLETE),
        ([("complete", 0.6)], {"gate": AccuracyGate(mean=0.5)}, Exit.DONE),
    ],
)
def test_the_exit_code_says_whether_all_is_well(monkeypatch, library, outcomes, change, code):
    made = [outcome(library, status=status, mean=mean) for status, mean in outcomes]
    assert ended(monkeypatch, library, made, **change) is code


def test_a_broken_case_is_not_well_unless_it_is_allowed(monkeypatch, library):
    job = {"skipped_cases": (SkippedCase("two", "components/memo: is no JSON", broken=True),)}
    assert ended(monkeypatch, library, [outcome(library)], job=job) is Exit.INCOMPLETE
    assert ended(monkeypatch, library, [outcome(library)], job=job, allow_skipped=True) is Exit.DONE


def test_the_worst_run_is_named_with_the_command_that_shows_it(monkeypatch, library, capsys):
    made = [outcome(library, mean=0.9), outcome(library, "small", mean=0.2, number=2)]
    ended(monkeypatch, library, made)
    assert f"show {made[1].run_dir} --wrong-only" in capsys.readouterr().err


def test_a_partial_run_is_evaluated_anew_by_the_command_that_is_named(monkeypatch, library, capsys):
    made = [outcome(library), outcome(library, "small", status="partial", number=2)]
    ended(monkeypatch, library, made)
    said = capsys.readouterr().err
    assert "1 run is partial; when the cause is mended, evaluate anew with:" in said
    assert "evalcli evaluate memo --model small --replicates 3 --json" in said
    ended(monkeypatch, library, made[:1])
    assert "is partial" not in capsys.readouterr().err


def test_of_a_resumed_job_the_replicates_are_those_of_its_plan(monkeypatch, library, capsys):
    ended(monkeypatch, library, [outcome(library, status="partial")], job={"replicates": 7}, planned=())
    assert "evalcli evaluate memo --model big --replicates 7 --json" in capsys.readouterr().err


def test_replies_that_all_were_cut_are_told_with_what_to_raise(monkeypatch, library, capsys):
    made = outcome(library)
    cut = structs.replace(
        made.record,
        params={"max_tokens": 16},
        calls=structs.replace(made.record.calls, total=4, ok=0, parse_error=4, truncated=4),
    )
    ended(monkeypatch, library, [structs.replace(made, record=cut)])
    assert (
        "big: all 4 replies were cut at the token limit, so none could be read: raise `max_tokens` in its"
        " `params` in models.yaml (now max_tokens: 16)."
    ) in capsys.readouterr().out
    some = structs.replace(cut, calls=structs.replace(cut.calls, truncated=3))
    ended(monkeypatch, library, [structs.replace(made, record=structs.replace(some, run_id="2"))])
    assert "token limit" not in capsys.readouterr().out


def test_without_a_model_there_is_nothing_to_evaluate(library, capsys):
    job = make_job_plan(models=())
    code = call_and_finish(Evaluation(job=job, endpoints={}, runs_dir=library / "runs"), options(library))
    assert code is Exit.NOTHING
    assert "no model is left" in capsys.readouterr().err


def test_a_leaderboard_that_could_not_be_added_to_costs_no_call(monkeypatch, library):
    (library / "components/memo/leaderboard.json").write_text("{")

    def called(*_):
        raise AssertionError("it was called")

    monkeypatch.setattr(finish, "make_calls", called)
    with pytest.raises(LeaderboardError):
        call_and_finish(evaluation(library), options(library))


def test_what_was_cut_short_keeps_its_finished_runs_and_says_how_to_go_on(monkeypatch, library, capsys):
    cut = CutShort((outcome(library),), library / "runs" / "half", ("small",), None)
    with pytest.raises(Interrupted):
        ended(monkeypatch, library, cut)
    assert runs(library) == ["big"]
    said = capsys.readouterr().err
    assert f"evalcli evaluate memo --resume {library / 'runs' / 'half'} --json" in said
    assert "evalcli evaluate memo --model small --replicates 3 --json" in said


def test_an_error_that_cut_it_short_is_raised_after_that(monkeypatch, library):
    error = ProviderUnreachable("does not answer")
    with pytest.raises(ProviderUnreachable):
        ended(monkeypatch, library, CutShort((), None, (), error))


def test_where_adding_fails_the_way_to_add_them_later_is_said(monkeypatch, library, capsys):
    made = [outcome(library)]

    def failing(*_):
        raise LeaderboardError("two records of one id differ")

    monkeypatch.setattr(finish, "add_to_leaderboard", failing)
    with suppress(LeaderboardError):
        ended(monkeypatch, library, made)
    said = capsys.readouterr().err
    assert "without a call, this goes on from there:" in said
    assert f"--resume {made[0].run_dir}" in said


def test_commands_are_quoted_for_a_shell(library):
    chosen = options(library, planned=("--case", "a b"), others=())
    assert chosen.command_for(["org/m:14b", "x y"]) == (
        "evalcli evaluate memo --model org/m:14b --model 'x y' --case 'a b'"
    )
