"""Making the calls: what is said of batches, what a signal does, and what is left where it is cut short."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from evalcli.evaluation.run import (
    CutShort,
    Evaluation,
    _batched,
    _cut_short,
    end_on_signals,
    make_calls,
    make_progress,
)
from evalcli.terminal.output import QUIET
from evalcli.terminal.progress import PlainProgress
from evalcore.evaluation.outcome import RunOutcome
from evalcore.library.component import Document
from evalcore.library.models import Endpoint, Model, Provider
from evalsim.mindrouter import AnswerBook, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import make_case, make_job_plan, make_provider, make_record, make_run_plan

BIG, SMALL = (Model(id=name, provider="mindrouter") for name in ("big", "small"))
CLOUD = Model(id="gpt", provider="openai")
OPENAI = Provider(
    name="openai", api="openai", base_url="https://api.openai.com/v1", api_key_env="OPENAI_API_KEY"
)


def evaluation(folder: Path, *models: Model, job: dict[str, Any] | None = None, **changes: Any) -> Evaluation:
    providers = {"mindrouter": make_provider(), "openai": OPENAI}
    plan = make_job_plan(models=models or (BIG, SMALL), providers=providers, **job or {})
    return Evaluation(job=plan, endpoints={}, runs_dir=folder, **changes)


def outcome(folder: Path, model: Model, number: int = 1) -> RunOutcome:
    record = make_record(number, model=model.id)
    return RunOutcome(model.id, "complete", None, record, folder / record.run_id)


@pytest.fixture
def progress() -> PlainProgress:
    return PlainProgress(lambda: 0.0, lambda _: None)


@pytest.fixture
def quiet() -> Iterator[None]:
    with click.Context(click.Command("evalcli")) as context:
        context.meta[QUIET] = True
        yield


def test_without_a_model_that_is_left_nothing_is_called(tmp_path: Path) -> None:
    finished = (outcome(tmp_path, BIG),)
    job = make_job_plan(models=())
    done = make_calls(Evaluation(job=job, endpoints={}, runs_dir=tmp_path, finished=finished), 4)
    assert done == list(finished)


def test_what_an_earlier_command_finished_stands_before_what_this_one_did(tmp_path: Path) -> None:
    sim = SimulatedMindRouter(SimConfig(models=(SimModel(id="small"),)), AnswerBook.from_folders([]))
    earlier = outcome(tmp_path, BIG)
    with running(sim) as url:
        done = make_calls(
            Evaluation(
                job=make_job_plan(models=(SMALL,)),
                endpoints={"mindrouter": Endpoint(base_url=url, api_key="mr2_key")},
                runs_dir=tmp_path,
                finished=(earlier,),
            ),
            4,
        )
    assert not isinstance(done, CutShort)
    assert [one.model for one in done] == ["big", "small"]


def test_a_server_that_cannot_be_reached_is_an_error_and_no_run_is_begun(tmp_path: Path) -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1:1", api_key=None)
    plan = make_job_plan(models=(BIG, SMALL))
    cut = make_calls(
        Evaluation(job=plan, endpoints={"mindrouter": endpoint}, runs_dir=tmp_path, is_awaited=False), 4
    )
    assert isinstance(cut, CutShort)
    assert "no connection to the server" in str(cut.error)
    # Each was looked for in vain, and was said to be: that is not the same as not begun.
    assert (cut.outcomes, cut.unfinished, cut.not_begun) == ((), None, ())
    assert list(tmp_path.iterdir()) == []


def test_batches_are_made_only_where_they_were_asked_for(tmp_path: Path) -> None:
    assert _batched(evaluation(tmp_path, CLOUD)) == frozenset()
    assert _batched(evaluation(tmp_path, CLOUD, is_batched=True)) == {"openai"}


def test_a_provider_that_takes_no_batches_is_named_with_what_that_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _batched(evaluation(tmp_path, BIG, CLOUD, is_batched=True)) == {"openai"}
    said = capsys.readouterr().err
    assert "mindrouter takes no batches" in said
    assert "at the full price" in said
    assert "calls of openai are handed over in batches" in said


def test_documents_that_are_sent_themselves_are_never_sent_in_batches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = Document(name="input.pdf", sha256="0" * 64, size=1, path="input.pdf", reader="none")
    case = make_case(document=document)
    assert _batched(evaluation(tmp_path, CLOUD, job={"cases": (case,)}, is_batched=True)) == frozenset()
    assert "would make batches too large" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_and_a_second_one_does_not_cut_its_tidying_short(number: int) -> None:
    done: list[str] = []

    async def work() -> None:
        end_on_signals()
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), number)
            # So that the second signal is seen before the tidying up is over.
            await asyncio.sleep(0.05)
            done.append("tidied up")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())
    assert done == ["tidied up"]


def test_work_is_ended_by_hand_as_by_a_signal() -> None:
    async def work() -> None:
        end: Callable[[], None] = end_on_signals()
        end()
        end()
        await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())


def test_progress_is_lines_unless_standard_error_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_progress(), PlainProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with make_progress() as shown:
        assert not isinstance(shown, PlainProgress)


@pytest.mark.usefixtures("quiet")
def test_who_wants_no_progress_has_none_on_a_terminal_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with make_progress() as shown:
        assert isinstance(shown, PlainProgress)
        shown.reading(1, 3)
    assert capsys.readouterr().err == ""


def test_what_had_begun_is_told_from_what_had_not(tmp_path: Path, progress: PlainProgress) -> None:
    progress.run_started(make_run_plan(model=BIG), tmp_path / "a", 0)
    cut = _cut_short(evaluation(tmp_path), progress, None)
    assert (cut.unfinished, cut.not_begun) == (tmp_path / "a", ("small",))
    progress.run_finished(outcome(tmp_path, BIG))
    cut = _cut_short(evaluation(tmp_path), progress, None)
    assert (cut.unfinished, [one.model for one in cut.outcomes]) == (None, ["big"])


def test_a_run_that_was_to_be_gone_on_with_is_still_unfinished(
    tmp_path: Path, progress: PlainProgress
) -> None:
    cut = _cut_short(evaluation(tmp_path, resumed={"small": tmp_path / "s"}), progress, None)
    assert (cut.unfinished, cut.not_begun) == (tmp_path / "s", ("big",))


def test_a_model_that_is_not_served_is_neither_begun_nor_to_be_called_later(
    tmp_path: Path, progress: PlainProgress
) -> None:
    progress.model_skipped("small", "is not served")
    assert _cut_short(evaluation(tmp_path), progress, None).not_begun == ("big",)
