"""Bars on a terminal: names and figures whole, however narrow it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from packages.evalcli.tests.terminal.progress_calls import Clock, call, plan_of
from rich.console import Console

from evalcli.terminal.rich_progress import RichProgress
from evalcore.evaluation.outcome import RunOutcome
from evalcore.runs.record import RunRecord


def test_bars_show_each_model_and_take_markup_for_text() -> None:
    clock, out = Clock(), StringIO()
    console = Console(file=out, width=140, force_terminal=True, color_system=None)
    with RichProgress(clock, console) as progress:
        plan = plan_of("[red]\x1b[2Jm")
        progress.run_started(plan, Path("r"), 2)
        progress.call_started(plan, "one", 3)
        call(progress, plan, 2, is_error=True)
        progress.model_awaited("gamma", 45.0, "")
        clock.now = 40.0
        progress.tick()
    text = out.getvalue()
    assert "[red]\\x1b[2Jm: 10 calls, 2 of them kept from before" in text
    assert "3/10  1 error  0.0/s  4 min 40 s left" in text
    assert "waiting for [red]\\x1b[2Jm: one, replicate 3, for 40 s; waiting for gamma, 5 s" in text
    assert "\x1b[2Jm" not in text


LONG = "an-organisation/some-model-of-40-letters"
TWIN = "an-organisation/some-model-of-40-lettres"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_bars_keep_names_figures_and_waits_whole_however_narrow(columns: int) -> None:
    clock, out = Clock(), StringIO()
    console = Console(file=out, width=columns, force_terminal=True, color_system=None)
    with RichProgress(clock, console) as progress:
        for model in (LONG, TWIN):
            plan = plan_of(model)
            progress.run_started(plan, Path("r"), 0)
            call(progress, plan, 0)
        progress.model_awaited("gamma", 45.0, "")
        clock.now = 10.0
        progress.tick()
        out.seek(0)
        out.truncate()
        progress.tick()
        lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip() for line in out.getvalue().splitlines()]
        text = " ".join(lines)
    assert LONG in text
    assert TWIN in text
    assert text.count("1/10  0 errors  0.1/s  1 min 30 s left") == 2
    assert "waiting for gamma, 35 s" in text
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(("columns", "bar"), [(61, 0), (70, 11), (80, 21), (120, 24)])
def test_bars_give_way_before_names_and_figures_part(columns: int, bar: int) -> None:
    clock, out = Clock(), StringIO()
    console = Console(file=out, width=columns, force_terminal=True, color_system=None)
    with RichProgress(clock, console) as progress:
        plan = plan_of("google/gemma-3-27b-it")
        progress.run_started(plan, Path("r"), 0)
        for _ in range(10):
            call(progress, plan, 0)
        clock.now = 10.0
        out.seek(0)
        out.truncate()
        progress.tick()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert drawn.count("━") // max(1, drawn.count("10/10")) == bar


def test_a_bar_is_at_its_end_when_its_model_is_said_to_be_done(make_record: Callable[..., RunRecord]) -> None:
    clock, out = Clock(), StringIO()
    console = Console(file=out, width=140, force_terminal=True, color_system=None)
    with RichProgress(clock, console) as progress:
        plan = plan_of("big", replicates=1)
        progress.run_started(plan, Path("r"), 0)
        call(progress, plan, 0)
        out.seek(0)
        out.truncate()
        progress.run_finished(RunOutcome("big", "complete", "", make_record(), Path("r")))
        assert "0/1" not in out.getvalue().partition("big: complete")[2]
        assert "1/1" in out.getvalue()
