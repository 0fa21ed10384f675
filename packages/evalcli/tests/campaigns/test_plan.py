"""From a campaign's file to its runs: what each is of, in which order, and its share of limits and budget."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalcli.campaigns.file import parse_campaign
from evalcli.campaigns.overview import late, plan_object, sentences, too_dear
from evalcli.campaigns.plan import CampaignPlan, PlannedRun, _with_budget, plan_campaign
from evalcli.leaderboards.places import Sources
from evalcore.errors import ConfigurationError, InputError
from evalcore.formats.strict_json import encode_canonical
from evalsim.testing import git, make_record, write_component, write_leaderboard

CASES = "components/memo/evals/cases"
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
MODELS = """\
providers:
  lab: {api: openai, base_url: "https://lab.invalid", api_key_env: LAB_KEY_THAT_NOBODY_SET}
models:
  - {id: alpha, provider: mindrouter}
  - {id: beta, provider: lab, concurrency: 2, price: {input: 2.0, output: 10.0}}
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
    for slug in ("memo", "budget"):
        write_component(root, slug, schema=schema, cases={"one": {"amount": 1}, "two": {"amount": 2}})
    (root / "components" / "memo" / "evals" / "scoring.yaml").write_text("fields: {amount: {weight: 2}}\n")
    (root / ".evaluator").mkdir()
    (root / ".evaluator" / "models.yaml").write_text(MODELS)
    git(root, "init", "-q", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "library")
    return root


def plan(library: Path, text: str = "models: all\n", data_sets: Path | None = None) -> CampaignPlan:
    campaign = parse_campaign(text, "nightly.yaml", "nightly")
    return plan_campaign(campaign, Sources(library, data_sets, None), library / ".evaluator" / "runs")


def hashes(planned: CampaignPlan) -> dict[str, str]:
    return {run.key: run.inputs_sha256 for run in planned.runs}


def add_past(library: Path, slug: str, *records: Any) -> None:
    write_leaderboard(library / "components" / slug / "leaderboard.json", *records, slug=slug)


def past(number: int, seconds: float, **fields: Any) -> Any:
    """The record of a run of one call that took so long, of 1,000 and 100 tokens."""
    given = {
        "latency_ms": {"p50": seconds * 1000, "p95": seconds * 1000},
        "tokens": {"prompt": 1000, "completion": 100},
        "provider": "lab",
        "model": "beta",
    }
    return make_record(number, **given | fields)


def test_every_component_runs_on_every_model_whose_key_need_not_be_here(library: Path) -> None:
    planned = plan(library, "models: all\nreplicates: 3\n")
    assert [run.key for run in planned.runs] == ["budget/alpha", "budget/beta", "memo/alpha", "memo/beta"]
    assert {(run.calls, run.replicates) for run in planned.runs} == {(6, 3)}
    assert planned.providers == ("lab", "mindrouter")
    # Its share of the provider's 16 calls for 4 runs, or of what its model takes at once for two.
    assert {run.model: run.in_flight for run in planned.runs} == {"alpha": 4, "beta": 1}
    limits = "limits: {mindrouter: {runs_per_model: 2}, lab: {runs_per_model: 1}}\n"
    planned = plan(library, f"models: all\n{limits}")
    assert {run.model: run.in_flight for run in planned.runs} == {"alpha": 2, "beta": 2}
    with pytest.raises(ConfigurationError, match="its `concurrency` of 2 cannot be shared by 3 runs at once"):
        plan(library, "models: all\nlimits: {lab: {runs_per_model: 3}}\n")


def test_components_and_models_are_chosen_by_name(library: Path) -> None:
    planned = plan(library, "models: [beta]\ncomponents: [memo]\n")
    assert [run.key for run in planned.runs] == ["memo/beta"]
    with pytest.raises(ConfigurationError, match="there is no component 'memmo'; did you mean `memo`"):
        plan(library, "models: all\ncomponents: [memmo]\n")
    with pytest.raises(InputError, match="gamma"):
        plan(library, "models: [gamma]\n")


def test_a_component_that_cannot_be_evaluated_is_left_out_of_all_and_refused_by_name(library: Path) -> None:
    (library / "components" / "budget" / "schema.json").write_text("{")
    planned = plan(library)
    assert [run.component for run in planned.runs] == ["memo", "memo"]
    assert [one.component for one in planned.left_out] == ["budget"]
    assert "components/budget/schema.json" in planned.left_out[0].reason
    with pytest.raises(InputError, match=r"components/budget/schema\.json"):
        plan(library, "models: all\ncomponents: [budget]\n")


def test_models_yaml_that_is_wrong_and_a_folder_without_components_are_one_error(
    library: Path, tmp_path: Path
) -> None:
    (library / ".evaluator" / "models.yaml").write_text("models: 3\n")
    with pytest.raises(ConfigurationError, match=r"models\.yaml"):
        plan(library)
    with pytest.raises(ConfigurationError, match="is not a prompt library"):
        plan(tmp_path / "nothing")


def test_the_longest_run_comes_first_and_the_whole_is_as_long_as_the_limits_make_it(library: Path) -> None:
    add_past(library, "memo", past(1, 5.0), past(2, 8.0, model="alpha", provider="mindrouter"))
    add_past(library, "budget", past(1, 50.0), past(2, 1.0, model="alpha", provider="mindrouter"))
    planned = plan(library, "models: all\nreplicates: 1\nlimits: {lab: {runs: 1, calls: 2}}\n")
    assert [run.key for run in planned.runs] == ["budget/beta", "memo/alpha", "memo/beta", "budget/alpha"]
    foreseen = {run.key: run.forecast.seconds for run in planned.runs}
    # One after the other at lab, which takes longer than both at once at MindRouter.
    assert planned.seconds == foreseen["budget/beta"] + foreseen["memo/beta"]
    assert late(planned, NOW) is None
    missed = plan(library, "models: all\nreplicates: 1\ndeadline: 2026-01-05T09:00:30Z\n")
    assert "is missed by" in (late(missed, NOW) or "")
    assert plan_object(missed, NOW)["deadline_met"] is False


def test_without_past_runs_nothing_is_foreseen_and_that_is_said(library: Path) -> None:
    planned = plan(library, "models: all\ndeadline: 2026-01-06T09:00:00Z\nbudget_usd: 0.01\n")
    assert (planned.seconds, planned.end(NOW), late(planned, NOW), too_dear(planned)) == (None,) * 4
    assert "How long it takes is not known: there is no past run that says so." in sentences(planned, NOW)
    encode_canonical(plan_object(planned, NOW))


def test_a_deadline_that_is_over_is_missed_whatever_is_foreseen(library: Path) -> None:
    planned = plan(library, "models: all\ndeadline: 2026-01-05T09:00:00Z\n")
    assert late(planned, NOW) == "The deadline 2026-01-05T09:00+00:00 is over"
    assert plan_object(planned, NOW)["deadline_met"] is False
    assert plan_object(planned, NOW - timedelta(days=1))["deadline_met"] is None


def test_records_of_any_latency_are_planned_by(library: Path) -> None:
    add_past(library, "memo", past(1, 1e9), past(2, 1e9, model="alpha", provider="mindrouter"))
    planned = plan(library, "models: all\nreplicates: 100\ndeadline: 2026-01-06T00:00:00Z\n")
    assert late(planned, NOW)
    assert sentences(planned, NOW)
    encode_canonical(plan_object(planned, NOW))


def test_a_budget_is_shared_out_by_what_runs_are_expected_to_need(library: Path) -> None:
    add_past(library, "memo", past(1, 1.0), past(2, 1.0, model="alpha", provider="mindrouter"))
    planned = plan(library, "models: all\nbudget_usd: 3\n")
    shares = {run.key: run.max_cost for run in planned.runs}
    # A local model costs nobody anything by the call.
    assert (shares["memo/alpha"], shares["budget/alpha"]) == (None, None)
    assert math.fsum(share for share in shares.values() if share is not None) == pytest.approx(3)
    # 20 calls of 1,000 and 100 tokens.
    assert next(run for run in planned.runs if run.key == "memo/beta").forecast.cost_usd == 0.06
    assert too_dear(planned) is None
    assert too_dear(plan(library, "models: all\nbudget_usd: 0.01\n")) is not None
    assert {run.max_cost for run in plan(library).runs} == {None}


def test_a_budget_cannot_be_held_for_a_model_without_a_price(library: Path) -> None:
    models = library / ".evaluator" / "models.yaml"
    models.write_text(MODELS.replace(", price: {input: 2.0, output: 10.0}", ""))
    assert plan(library).runs
    with pytest.raises(ConfigurationError, match="beta has no price"):
        plan(library, "models: all\nbudget_usd: 3\n")


def test_calls_that_cost_nothing_have_no_limit_of_their_cost(library: Path) -> None:
    models = library / ".evaluator" / "models.yaml"
    models.write_text(MODELS.replace("input: 2.0, output: 10.0", "input: 0, output: 0"))
    assert {run.max_cost for run in plan(library, "models: all\nbudget_usd: 3\n").runs} == {None}


def test_past_runs_without_tokens_leave_a_run_its_share_of_the_budget(library: Path) -> None:
    add_past(library, "memo", past(1, 1.0, tokens={"prompt": 0, "completion": 0}))
    shares = [run.max_cost for run in plan(library, "models: [beta]\nbudget_usd: 3\n").runs]
    assert len(shares) == 2
    assert all(shares)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.floats(1e-9, 1e9), max_size=20), st.floats(1e-6, 1e9))
def test_the_shares_of_a_budget_are_the_budget(
    make_planned: Callable[..., PlannedRun], needed: list[float | None], budget: float
) -> None:
    shared = _with_budget([make_planned(max_cost=one) for one in needed], budget)
    shares = [run.max_cost for run in shared]
    if any(needed):
        assert math.fsum(share for share in shares if share is not None) == pytest.approx(budget)
        assert all((share is None) == (one is None) for share, one in zip(shares, needed, strict=True))
        assert all(share is None or share > 0 for share in shares)
    else:
        assert set(shares) <= {None}


def test_inputs_are_the_same_in_every_checkout_that_reads_the_same_files(
    library: Path, tmp_path: Path
) -> None:
    first = hashes(plan(library))
    copy = tmp_path / "elsewhere" / "deeper" / "copy"
    shutil.copytree(library, copy)
    (copy / "README.md").write_text("Another commit.\n")
    git(copy, "add", "--all")
    git(copy, "commit", "-q", "-m", "another")
    add_past(copy, "memo", past(1, 1.0))
    assert hashes(plan(copy)) == first
    data_sets = [tmp_path / "a" / "sets", tmp_path / "b" / "data"]
    for folder in data_sets:
        case = folder / "memo" / "three"
        case.mkdir(parents=True)
        (case / "input.md").write_text("?")
        (case / "expected.json").write_text("{}")
        (folder / "memo" / "scoring.yaml").write_text("fields: {amount: {weight: 3}}\n")
    one, two = (hashes(plan(library, data_sets=folder)) for folder in data_sets)
    assert one == two != first


def _write(path: str, text: str) -> Callable[[Path], Any]:
    return lambda library: (library / path).write_text(text)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (_write(f"{CASES}/one/input.md", "other"), {"memo/alpha", "memo/beta"}),
        (_write(f"{CASES}/one/expected.json", "{}"), {"memo/alpha", "memo/beta"}),
        (
            _write("components/memo/prompt.md", "---\nname: Memo\nversion: 1.0.0\n---\n## Prompt\nElse.\n"),
            {"memo/alpha", "memo/beta"},
        ),
        (_write("components/memo/schema.json", '{"type": "object"}'), {"memo/alpha", "memo/beta"}),
        (_write("components/memo/evals/scoring.yaml", ""), {"memo/alpha", "memo/beta"}),
        (
            _write(".evaluator/models.yaml", MODELS.replace("concurrency: 2", "params: {temperature: 1}")),
            {"memo/beta", "budget/beta"},
        ),
        (lambda library: shutil.rmtree(library / CASES / "two"), {"memo/alpha", "memo/beta"}),
        (_write("components/memo/NOTES.md", "Of no run."), set()),
    ],
    ids=["input", "expected", "prompt", "schema", "policy", "model", "case gone", "nothing of it"],
)  # fmt: skip
def test_inputs_differ_where_anything_differs_that_a_run_is_of(
    library: Path, change: Callable[[Path], Any], changed: set[str]
) -> None:
    before = hashes(plan(library))
    change(library)
    after = hashes(plan(library))
    assert {key for key in before if before[key] != after[key]} == changed


def test_a_plan_is_one_object_that_says_what_the_table_says(library: Path) -> None:
    add_past(library, "memo", past(1, 1.0))
    planned = plan(library, "models: [beta]\nbudget_usd: 3\ndeadline: 2027-01-01T00:00:00Z\n")
    told = json.loads(encode_canonical(plan_object(planned, NOW)))
    assert (told["campaign"], told["calls"], told["deadline_met"]) == ("nightly", 40, True)
    assert told["end"].startswith("2026-01-05T09:")
    assert told["limits"] == {
        "lab": {
            "calls": 16,
            "runs": 4,
            "runs_per_model": None,
            "runs_per_worker": None,
            "runs_per_hour": None,
        }
    }
    assert [run["component"] for run in told["runs"]] == [run.component for run in planned.runs]
