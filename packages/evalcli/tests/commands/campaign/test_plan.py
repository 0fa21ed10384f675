"""`evalcli campaign plan`: what would be called, and whether it is within what the campaign allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from evalsim.testing import make_record, write_leaderboard

Make = Callable[..., Any]


@pytest.fixture
def world(make_world: Make) -> Any:
    return make_world()


def add_past(world: Any, seconds: float) -> None:
    """A past run of memo on each model, of one call that took so long and 1,000 and 100 tokens."""
    records = [
        make_record(
            number,
            model=model,
            tokens={"prompt": 1000, "completion": 100},
            latency_ms={"p50": seconds * 1000, "p95": seconds * 1000},
        )
        for number, model in ((1, "alpha"), (2, "beta"))
    ]
    write_leaderboard(world.library / "components" / "memo" / "leaderboard.json", *records)


def test_the_table_has_each_run_and_the_sentences_the_whole(world: Any) -> None:
    add_past(world, 60.0)
    done = world.look("plan", world.file, MINDROUTER_API_KEY="")
    assert done.code == 0, done.err
    rows = [line.split() for line in done.out.splitlines() if line.startswith("memo")]
    assert [row[:3] for row in rows] == [["memo", "alpha", "6"], ["memo", "beta", "6"]]
    assert all("its own runs" in line for line in done.out.splitlines() if line.startswith("memo"))
    # As `evaluate --dry-run` calls it.
    assert "smallest fall: the least loss of accuracy that would show" in done.out
    assert "nightly: 2 runs, 12 calls." in done.out
    assert "mindrouter: 2 runs, at most 4 calls and 2 runs at once over all workers." in done.out
    assert "It takes about 3 min 2 s where no worker is missing." in done.out
    # Nothing was called, and nothing was begun.
    assert (world.calls, world.runs_dir.exists()) == (0, False)


def test_the_forecast_knows_that_a_model_does_one_run_after_the_other(world: Any) -> None:
    add_past(world, 60.0)
    world.file.write_text("models: all\nreplicates: 2\nlimits: {mindrouter: {runs: 4}}\n")
    done = world.look("plan", world.file)
    assert done.code == 0, done.err
    assert (
        "mindrouter: 4 runs, at most 16 calls and 4 runs at once, 1 of each model, over all workers."
        in done.out
    )
    # Two components of four calls, all of them at once, on each model.
    assert "It takes about 2 min 4 s where no worker is missing" in done.out


def test_the_forecast_waits_for_the_hour_of_a_run_that_may_not_be_begun_before(world: Any) -> None:
    add_past(world, 60.0)
    world.file.write_text(world.file.read_text().replace("runs: 2", "runs: 2, runs_per_hour: 1"))
    done = world.look("plan", world.file)
    assert done.code == 0, done.err
    limits = "at most 4 calls and 2 runs at once, 1 run begun within an hour, over all workers."
    assert f"mindrouter: 2 runs, {limits}" in done.out
    assert "It takes about 1 h 3 min where no worker is missing." in done.out


def test_runs_that_could_show_nothing_are_counted_with_what_would_help(world: Any) -> None:
    blind = "show no fall of accuracy, however large: more replicates or more cases would help."
    assert blind not in world.look("plan", world.file).out
    world.file.write_text(world.file.read_text().replace("replicates: 3", "replicates: 1"))
    assert f"2 runs {blind}" in world.look("plan", world.file).out


def test_as_an_object_it_says_the_same(world: Any) -> None:
    told = json.loads(world.look("plan", world.file, "--json").out)
    assert (told["campaign"], told["calls"], told["seconds"], told["deadline_met"]) == (
        "nightly", 12, None, None,
    )  # fmt: skip
    assert [(run["component"], run["model"], run["in_flight"]) for run in told["runs"]] == [
        ("memo", "alpha", 2), ("memo", "beta", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("deadline: 2026-01-01T00:00:00Z\n", "The deadline 2026-01-01T00:00+00:00 is over"),
        ("budget_usd: 0.01\n", "The budget of 0.01 USD does not suffice: 0.04 USD are foreseen"),
    ],
    ids=["deadline", "budget"],
)
def test_what_is_not_kept_by_the_forecast_is_exit_code_1(world: Any, more: str, said: str) -> None:
    models = world.library / ".evaluator" / "models.yaml"
    models.write_text(models.read_text().replace("seed: 1}", "seed: 1}, price: {input: 2, output: 10}"))
    add_past(world, 60.0)
    world.file.write_text(world.file.read_text() + more)
    done = world.look("plan", world.file)
    assert done.code == 1, done.err
    assert said in done.out
    kept = more.replace("2026-01-01", "9999-01-01").replace("0.01", "1.01")
    world.file.write_text(world.file.read_text().replace(more, kept))
    assert world.look("plan", world.file).code == 0


def test_a_component_that_is_left_out_is_warned_of_and_nothing_at_all_is_exit_code_3(world: Any) -> None:
    (world.library / "components" / "memo" / "prompt.md").write_text("No version.\n")
    (world.library / "components" / "budget" / "schema.json").write_text("{")
    world.file.write_text("models: all\n")
    done = world.look("plan", world.file)
    assert done.code == 3
    assert done.err.count("warning: ") == 2
    assert "memo is left out: components/memo/prompt.md" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [gamma]\n", "gamma"),
        ("models: all\ncomponents: [memmo]\n", "did you mean `memo`?"),
        ("models: all\nreplicates: none\n", "nightly.yaml:2: `replicates` is wrong"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(world: Any, text: str, said: str) -> None:
    world.file.write_text(text)
    done = world.look("plan", world.file)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err
