"""The whole site: every figure shown is a record's, or one that evalcore makes of records."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.compare.pool import Pool, pools
from evalcore.compare.verdict import Comparison, compare_pools
from evalcore.compare.versions import previous_version
from evalcore.reports.dashboard.build import build_site
from evalcore.reports.dashboard.component import component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts, ModelFacts
from evalcore.reports.dashboard.site import Site
from evalcore.reports.ranking import Draws, agreement, pool_interval, rankings
from evalcore.reports.sentences import cost_of_replies, pool_labels, ranking_sentence
from evalcore.runs.leaderboard import leaderboard_of
from evalcore.runs.record import RunRecord, record_object
from evalcore.runs.rescoring import newest_scoring
from evalcore.stats.numbers import deviation, mean, mean_by_field
from evalsim.testing import make_record

LIBRARY = LibraryFacts(
    name="library",
    models=(ModelFacts("alpha", "mindrouter"), ModelFacts("gamma", "anthropic")),
    workflows=("evaluate-local.yml", "evaluate-cloud.yml"),
    url="https://github.com/acme/prompts",
    repository="acme/prompts",
)
COMPONENT = ComponentFacts(slug="memo", name="Memo", version="1.1.0", prompt_sha256="a" * 64)
SCORES = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.9, 1.0])


@st.composite
def runs(draw):
    number = draw(st.integers(0, 8))
    return [draw(run(at)) for at in range(1, number + 1)]


@st.composite
def run(draw, number):
    replicates = draw(st.integers(1, 4))
    count = draw(st.integers(1, 3))
    is_partial = draw(st.booleans()) and draw(st.booleans())
    scores = [draw(st.lists(SCORES, min_size=replicates, max_size=replicates)) for _ in range(count)]
    if is_partial:
        scores[0][0] = None
    came = [[one for one in case if one is not None] for case in scores]
    answered = [case for case in came if case]
    accuracy = sum(sum(case) / len(case) for case in answered) / len(answered) if answered else None
    field = draw(st.sampled_from(["title", "amount"]))
    replies = sum(map(len, came))
    made = make_record(
        number,
        mean=accuracy,
        component_version=draw(st.sampled_from(["1.0.0", "1.1.0", "odd"])),
        model=draw(st.sampled_from(["alpha", "beta", "<b>gamma"])),
        scoring_version=draw(st.sampled_from([1, 3, 3, 3])),
        server={"version": draw(st.sampled_from([None, "1", "2"]))},
        cases_sha256=draw(st.sampled_from("bcd")) * 64,
        status="partial" if is_partial else "complete",
        reason="1 of 2 calls were never answered" if is_partial else None,
        replicates=replicates,
        cases=count,
        case_results=[
            {
                "case": f"case-{at}",
                "sha256": f"{at:064x}",
                "validated_against_version": draw(st.sampled_from([None, "1.0.0"])),
                "scores": case,
                "reproducibility": draw(SCORES) if len(case) > 1 else None,
                "exact": [None if one is None else one == 1 for one in case],
            }
            for at, case in enumerate(scores)
        ],
        calls={
            "total": count * replicates,
            "ok": replies,
            "api_error": count * replicates - replies,
            "parse_error": 0,
            "truncated": 0,
        },
        accuracy={
            "mean": accuracy,
            "ci95": draw(st.sampled_from([None, [0.1, 0.9]])),
            "anls_star": accuracy,
            "by_field": {field: 0.5},
            "precision_by_field": draw(st.sampled_from([{}, {field: 0.25}])),
            "recall_by_field": draw(st.sampled_from([{}, {field: 0.75}])),
        },
        cost_usd=draw(st.sampled_from([None, 0.5])),
        tokens={"prompt": draw(st.sampled_from([None, 100])), "completion": 10},
        drifting=draw(st.sampled_from([None, False, True])),
    )
    # As it stands in a leaderboard: rounded.
    return msgspec.convert(record_object(made), RunRecord)


def site_of(records) -> Site:
    digest = component_digest(COMPONENT, leaderboard_of("memo", records), LIBRARY, {})
    return build_site(LIBRARY, [digest])


def equal(value):
    return pytest.approx(value, rel=1e-8) if value is not None else None


@settings(max_examples=60, deadline=None)
@given(runs())
def test_every_figure_of_a_ranking_is_that_of_the_records(records):
    (view,) = site_of(records).components
    found = rankings(records)
    by_ids = {tuple(row.run_ids): (one, row) for one in view.rankings for row in one.rows}
    for ranking in found:
        for row in ranking.rows:
            ids = tuple(record.run_id for record in row.records)
            if ids not in by_ids or ranking.are_cases_shared != by_ids[ids][0].are_cases_shared:
                continue
            shown = by_ids[ids][1]
            assert (shown.accuracy, shown.reproducibility) == (
                equal(row.accuracy),
                equal(row.reproducibility),
            )
            assert shown.ci95 == (None if row.ci95 is None else pytest.approx(row.ci95, rel=1e-8))
            assert shown.rank == (None if row.rank is None else (row.rank.best, row.rank.worst))
            assert (shown.exact_rate, shown.all_right_rate) == (
                equal(row.exact_rate),
                equal(row.all_right_rate),
            )
            assert shown.cost_usd_per_1000_replies == equal(cost_of_replies(row))
            assert shown.latency_p50_ms == row.newest.latency_ms.p50
            assert shown.calls.total == sum(record.calls.total for record in row.records)
            assert shown.replies == row.replies
    sentences = {ranking_sentence(ranking) for ranking in found}
    labels = {label for ranking in found for label in pool_labels(ranking)}
    assert {one.sentence for one in view.rankings} <= sentences
    assert {row.label for one in view.rankings for row in one.rows} <= labels


@settings(max_examples=60, deadline=None)
@given(runs())
def test_every_figure_of_the_history_is_that_of_the_records(records):
    (view,) = site_of(records).components
    by_id = {record.run_id: record for record in records}
    shown = [run.run_id for history in view.history for point in history.points for run in point.runs]
    assert sorted(shown) == sorted(record.run_id for record in newest_scoring(records))
    for history in view.history:
        for point in history.points:
            pool = Pool(tuple(by_id[run.run_id] for run in point.runs))
            assert {record.model for record in pool.records} == {history.model}
            own = pool.newest if len(pool.records) == 1 else None
            scores = pool.scores()
            accuracy = own.accuracy.mean if own else mean(mean(case) for case in scores.values())
            agreed = own.reproducibility.mean if own else agreement(pool, set(scores))
            assert (point.accuracy, point.reproducibility) == (equal(accuracy), equal(agreed))
            around = own.accuracy.ci95 if own else pool_interval(pool, Draws(pool.newest.cases_sha256), {})
            assert point.ci95 == (None if around is None else pytest.approx(around, rel=1e-8))
            assert point.drifting == any(record.drifting for record in pool.records)
            for one, record in zip(point.runs, pool.records, strict=True):
                assert (one.accuracy, one.ci95) == (record.accuracy.mean, record.accuracy.ci95)


@settings(max_examples=60, deadline=None)
@given(runs())
def test_every_verdict_is_that_of_compare(records):
    (view,) = site_of(records).components
    for history in view.history:
        for point in history.points:
            verdict = point.verdict
            if verdict is None:
                continue
            assert verdict.against_version == previous_version(records, point.component_version)
            by_ids = {tuple(one.run_id for one in pool.records): pool for pool in pools(records)}
            before = by_ids[verdict.against_run_ids]
            after = by_ids[tuple(run.run_id for run in point.runs)]
            (alone,) = compare_pools([before], [after])
            assert isinstance(alone, Comparison) == (verdict.verdict is not None)
            if isinstance(alone, Comparison):
                # Among several models it is never bolder than alone.
                assert verdict.change == equal(alone.change)
                if verdict.is_significant:
                    assert alone.verdict == verdict.verdict
                    assert verdict.p >= min(alone.p_regression, alone.p_improvement) * (1 - 1e-8)


@settings(max_examples=60, deadline=None)
@given(runs())
def test_every_figure_of_the_matrices_is_that_of_the_records(records):
    (view,) = site_of(records).components
    if view.failures is None:
        return
    by_id = {record.run_id: record for record in records}
    ranking = next(one for one in view.rankings if one.id == view.failures.ranking_id)
    rows = [row for row in ranking.rows if row.status == "complete"]
    assert [column.label for column in view.failures.columns] == [row.label for row in rows]
    found = [Pool(tuple(by_id[run_id] for run_id in row.run_ids)) for row in rows]
    for line in view.failures.cases:
        # No two cases of these records are equal, so that the hash alone is a case.
        replies = [pool.scores().get((line.sha256, 0), []) for pool in found]
        assert line.noise == equal(deviation(replies))
        assert line.accuracy == equal(mean(mean(one) for one in replies if one))
        for cell, own in zip(line.cells, replies, strict=True):
            assert (cell.accuracy, cell.replies) == (equal(mean(own)), len(own))
            assert (cell.lowest, cell.highest) == ((min(own), max(own)) if own else (None, None))
    for field in view.failures.fields:
        for cell, pool in zip(field.cells, found, strict=True):
            recall = mean_by_field(record.accuracy.recall_by_field for record in pool.records)
            precision = mean_by_field(record.accuracy.precision_by_field for record in pool.records)
            assert cell.accuracy == equal(pool.by_field.get(field.field))
            assert cell.missed == (None if field.field not in recall else equal(1 - recall[field.field]))
            assert cell.invented == (
                None if field.field not in precision else equal(1 - precision[field.field])
            )


@settings(max_examples=60, deadline=None)
@given(runs(), st.randoms(use_true_random=False))
def test_the_order_of_records_and_what_is_cached_change_nothing(records, random):
    shuffled = records.copy()
    random.shuffle(shuffled)
    cache: dict = {}
    digests = [
        component_digest(COMPONENT, leaderboard_of("memo", some), LIBRARY, cache)
        for some in (records, shuffled)
    ]
    assert digests[0] == digests[1]
    assert build_site(LIBRARY, digests[:1]) == site_of(records)


@settings(max_examples=60, deadline=None)
@given(runs())
def test_a_site_that_is_written_is_read_back_the_same(records):
    site = site_of(records)
    assert msgspec.json.decode(msgspec.json.encode(site), type=Site) == site


@settings(max_examples=60, deadline=None)
@given(runs())
def test_totals_count_each_run_once(records):
    site = site_of(records)
    assert site.totals.runs == len({record.run_id for record in records})
    assert site.totals.models == len({record.model for record in records} | {"alpha", "gamma"})
    assert [model.id for model in site.models] == sorted(model.id for model in site.models)


def test_models_are_those_of_models_yaml_and_those_with_runs():
    site = site_of([make_record(1, model="gone", component_version="1.1.0")])
    models = {model.id: model for model in site.models}
    assert set(models) == {"alpha", "gamma", "gone"}
    assert (models["gone"].is_configured, models["alpha"].is_configured) == (False, True)
    assert (models["gamma"].is_local, models["alpha"].is_local) == (False, True)
    assert models["gone"].sentence == (
        "Best or level with the best at 1 of 1 component with a complete run; all are fresh."
    )
    assert models["alpha"].sentence == "No complete run at any of 1 component."


def test_a_site_without_a_run_says_how_to_begin():
    site = site_of([])
    (gap,) = site.never_evaluated
    assert (gap.kind, gap.component) == ("component", "memo")
    assert [start.command for start in gap.starts] == ["evalcli trigger memo", "evalcli evaluate memo"]
    assert gap.starts[0].link == "https://github.com/acme/prompts/actions/workflows/evaluate-local.yml"
    assert site.newest_run_at is None
