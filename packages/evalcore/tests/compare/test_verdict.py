"""What may be compared, what counts together, and when a change is called one."""

import math
import re
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.compare.pool import pools, pools_of_run, pools_of_version
from evalcore.compare.verdict import (
    Comparison,
    NotComparable,
    compare_pools,
    compare_two,
    reasons,
    replies,
    what_counts,
)
from evalcore.runs.plan import Server
from evalcore.runs.record import Accuracy, CaseResult
from evalsim.testing import make_record

OLD, NEW = "1.0.0", "1.1.0"
STABLE = [0.9] * 10
SCORES = st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.9, 0.95, 1.0]), min_size=1, max_size=6)


def sha(number):
    return f"{number:064x}"


def run(scores, version=OLD, run_id="r", **changes):
    """Make the record of a run, given the scores of each case's replies; cases are numbered from 0."""
    cases = tuple(
        CaseResult(f"case-{at}", sha(at), None, tuple(replies), None) for at, replies in enumerate(scores)
    )
    replies = len(scores[0])
    total = replies * len(scores)
    values = {
        "run_id": f"{run_id}-{version}",
        "component_version": version,
        "model": "m",
        "params": {"temperature": 0.1},
        "server": {"version": "1"},
        "scoring_version": 2,
        "replicates": replies,
        "cases": len(scores),
        "case_results": cases,
        "calls": {"total": total, "ok": total, "api_error": 0, "parse_error": 0, "truncated": 0},
    }
    return make_record(mean=None, **values | changes)


def describe(outcome):
    """What readers are told of an outcome, in one line."""
    if isinstance(outcome, NotComparable):
        return f"{outcome.model}: not comparable: {outcome.reason}"
    return "; ".join([f"{outcome.model}: {outcome.verdict}", what_counts(outcome), *reasons(outcome)])


def pool(*records):
    (found,) = pools(records)
    return found


def outcome(before, after, margin=0.02, **changes):
    return compare_two(pool(run(before)), pool(run(after, NEW, **changes)), margin)


def test_a_clear_fall_is_a_regression_and_a_clear_rise_an_improvement():
    assert outcome([STABLE], [[0.8] * 10]).verdict == "regression"
    assert outcome([STABLE], [[0.97] * 10]).verdict == "improvement"


def test_a_change_within_the_margin_is_none_however_sure_it_is():
    """A run-to-run shift of 0.005 on replies that never vary: sure, and of no interest."""
    found = outcome([[0.9] * 100] * 10, [[0.895] * 100] * 10)
    assert found.verdict == "no evidence"
    assert found.p_regression == 1
    assert outcome([[0.9] * 100] * 10, [[0.895] * 100] * 10, margin=0.001).verdict == "regression"


def test_a_change_that_noise_can_explain_is_no_evidence_and_says_what_could_have_been_shown():
    found = outcome([[1.0] * 8 + [0.0] * 2], [[1.0] * 7 + [0.0] * 3])
    assert found.verdict == "no evidence"
    assert found.smallest_change > 0.3
    assert f"a change of {found.smallest_change:.3f} would be found four times in five" in describe(found)


def test_three_replies_of_one_case_cannot_alarm_four_can():
    found = outcome([[1.0] * 3], [[0.0] * 3])
    assert found.verdict == "cannot alarm"
    assert found.smallest_change is None
    assert "too few replies" in describe(found)
    assert outcome([[1.0] * 4], [[0.0] * 4]).verdict == "regression"


@settings(max_examples=30)
@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=4))
def test_an_improvement_one_way_round_is_a_regression_the_other(cases):
    before, after = pool(run([old for old, _ in cases])), pool(run([new for _, new in cases], NEW))
    there, back = compare_two(before, after), compare_two(after, before)
    swapped = {"regression": "improvement", "improvement": "regression"}
    assert back.verdict == swapped.get(there.verdict, there.verdict)
    assert (back.p_regression, back.p_improvement) == (there.p_improvement, there.p_regression)


@settings(max_examples=30)
@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_replies_plays_no_part(cases, random):
    def shuffled(replies):
        return random.sample(replies, len(replies))

    first = outcome([old for old, _ in cases], [new for _, new in cases])
    again = outcome([shuffled(old) for old, _ in cases], [shuffled(new) for _, new in cases])
    assert first == again


def test_every_reply_of_unequal_pools_is_used_and_how_many_is_said():
    many = [[0.9, 0.88, 0.92, 0.9, 0.86, 0.94, 0.9, 0.9, 0.91, 0.89] * 5]
    found = outcome(many, [[0.6, 0.62, 0.58, 0.6, 0.61]])
    assert (found.verdict, found.replicates) == ("regression", 5)
    assert (found.before.replicates, found.after.replicates) == (50, 5)
    assert "1 case x 50 replies against 5, all used" in describe(found)


def test_one_reply_of_each_case_can_still_show_what_many_cases_share():
    found = outcome([[0.9]] * 8, [[0.4]] * 8)
    assert found.verdict == "regression"
    assert "only what many cases share can be shown" in describe(found)
    assert outcome([[0.9]] * 5, [[0.4]] * 5).verdict == "cannot alarm"


def verdicts(models, cases, replies, fallen=1, before=0.9, after=0.05):
    olds = [pool(run([[before] * replies] * cases, model=f"m{at:02}")) for at in range(models)]
    news = [
        pool(run([[after if at < fallen else before] * replies] * cases, NEW, model=f"m{at:02}"))
        for at in range(models)
    ]
    return [found.verdict for found in compare_pools(olds, news)]


@pytest.mark.parametrize(("models", "cases"), [(6, 1), (51, 3)])
def test_one_models_collapse_is_seen_among_many(models, cases):
    assert verdicts(models, cases, replies=5) == ["regression"] + ["no evidence"] * (models - 1)


def test_a_design_that_cannot_show_one_model_of_so_many_says_so():
    """Five replies of one case give p = 1/252 at best: enough among 6 models, not among 7."""
    assert verdicts(6, 1, replies=5)[0] == "regression"
    assert set(verdicts(7, 1, replies=5)) == {"cannot alarm"}
    before = [pool(run([[0.9] * 5], model=f"m{at}")) for at in range(7)]
    after = [pool(run([[0.9] * 5], NEW, model=f"m{at}")) for at in range(7)]
    found = compare_pools(before, after)[0]
    assert "too few replies to show any change of one model among 7" in describe(found)
    assert found.smallest_change is None


def test_what_a_design_cannot_show_of_one_model_it_may_show_of_all():
    assert set(verdicts(7, 1, replies=5, fallen=7)) == {"regression"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "other"}, "two models"),
        ({"scoring_version": 1}, r"two versions of the rules \(2 and 1\): rescore"),
        ({"policy_sha256": "1" * 64}, "two policies"),
        ({"case_results": (CaseResult("case-0", sha(9), None, (1.0,), None),)}, "no case has the same"),
    ],
)
def test_what_is_not_comparable_says_why(changes, reason):
    found = outcome([STABLE], [STABLE], **changes)
    assert isinstance(found, NotComparable)
    assert re.search(reason, describe(found))


def test_a_model_without_a_complete_run_on_one_side_is_not_comparable():
    (found,) = compare_pools([], [pool(run([STABLE]))])
    assert describe(found) == "m: not comparable: there is no complete run before"


def test_only_cases_with_equal_contents_count_and_a_new_name_changes_nothing():
    """Case 1 got a new expected answer, as with a MAJOR version: its fall is no regression."""
    after = run([STABLE, [0.0] * 10], NEW)
    renamed = msgspec.structs.replace(after.case_results[0], case="zzz")
    changed = msgspec.structs.replace(after.case_results[1], sha256=sha(77))
    found = compare_two(
        pool(run([STABLE, STABLE])), pool(msgspec.structs.replace(after, case_results=(renamed, changed)))
    )
    assert (found.verdict, found.cases, found.cases_left_out, found.change) == ("no evidence", 1, 2, 0)
    assert "2 cases left out" in describe(found)


def test_all_complete_runs_of_a_version_count_together_and_their_number_is_told():
    """Running again until it looks good: the good run is diluted by the bad ones."""
    runs = [run([[0.7] * 10], NEW, "a"), run([[0.7] * 10], NEW, "b"), run([[0.9] * 10], NEW, "c")]
    found = compare_two(pool(run([STABLE])), pool(*runs))
    assert found.after.run_ids == ("a-1.1.0", "b-1.1.0", "c-1.1.0")
    assert found.after.mean == pytest.approx(2.3 / 3)
    assert "1 run against 3" in describe(found)


def test_partial_runs_and_calls_without_a_reply_count_nowhere():
    assert pools([run([STABLE], status="partial")]) == []
    assert list(pool(run([[0.5, None, 0.7]])).scores().values()) == [[0.5, 0.7]]


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_sha256": "1" * 64}, {"schema_sha256": "1" * 64}, {"cases_sha256": "1" * 64},
        {"params": {"temperature": 1}}, {"scoring_version": 3}, {"policy_sha256": "1" * 64}, {"model": "n"},
        {"component_version": "2.0.0"}, {"structured_output": "json_object"}, {"provider": "other"},
        {"server": Server(version="2")},
    ],
)  # fmt: skip
def test_runs_that_were_asked_or_scored_otherwise_are_another_pool(changes):
    records = [run([STABLE], run_id="a"), run([STABLE], run_id="b", **changes)]
    assert len(pools(records)) == 2


def test_another_seed_alone_is_another_replicate_not_another_pool():
    records = [
        run([STABLE], run_id=name, params={"temperature": 0.1, "seed": seed}) for name, seed in ("a1", "b2")
    ]
    assert len(pools([*records, run([STABLE])])) == 1


def test_a_server_that_is_silent_counts_with_those_it_may_be():
    def servers(*told):
        records = [
            run([STABLE], run_id=str(at), server=Server(version=version, quantization=quantization))
            for at, (version, quantization) in enumerate(told)
        ]
        return sorted(len(one.records) for one in pools(records))

    assert servers(("1", None), (None, None), ("1", "fp8"), (None, "fp8")) == [4]
    assert servers(("1", None), ("2", None), ("1", None)) == [1, 2]
    # It may be either of two, so it is neither.
    assert servers(("1", None), ("2", None), (None, None)) == [1, 1, 1]


def test_of_two_scorings_of_one_run_the_newer_counts():
    old = run([STABLE], run_id="first", scoring_version=1)
    new = run([STABLE], run_id="again", scoring_version=2, rescored_from=old.run_id)
    assert pool(old, new).records == (new,)
    assert [pool.records for pool in pools_of_run([old, new], old.run_id)] == [(new,)]
    assert pools_of_run([old, new], "nobody") == []


def test_of_a_version_each_model_has_the_pool_that_ran_last():
    early = run([STABLE], run_id="early", params={})
    late = run([STABLE], run_id="late", finished_at="2026-02-01T00:00:00.000Z")
    other = run([STABLE], run_id="other", model="n")
    found = pools_of_version([late, other, early, run([STABLE], NEW)], OLD)
    assert [one.newest.run_id for one in found] == ["late-1.0.0", "other-1.0.0"]


def test_a_changed_server_and_changed_conditions_are_told():
    found = outcome(
        [STABLE], [STABLE], server=Server(version="2", quantization="fp8"), params={"temperature": 0.7}
    )
    assert found.server_changed == ("version", "quantization")
    assert found.also_changed == ("params",)
    assert describe(found).endswith("server changed (version, quantization); also changed: params")


def test_the_fields_that_moved_most_come_first():
    def accuracy(**by_field):
        return Accuracy(mean=None, ci95=None, anls_star=None, by_field=by_field)

    before = pool(run([STABLE], accuracy=accuracy(a=0.9, b=0.9, c=0.9, gone=1.0)))
    after = pool(run([STABLE], NEW, accuracy=accuracy(a=0.5, b=1.0, c=0.9, new=0.1)))
    moved = compare_two(before, after).fields
    assert [(one.field, one.before, one.after) for one in moved] == [("a", 0.9, 0.5), ("b", 0.9, 1.0)]


def test_a_comparison_is_the_same_every_time_and_says_itself_in_one_line():
    random = Random(3)
    scores = [[[random.random() for _ in range(10)] for _ in range(3)] for _ in range(2)]
    first, again = outcome(*scores), outcome(*scores)
    assert isinstance(first, Comparison)
    assert first == again
    assert "\n" not in describe(first)
    assert first.change == pytest.approx(math.fsum(map(math.fsum, scores[1])) / 30 - first.before.mean)


def test_one_reply_is_one() -> None:
    assert (replies(1), replies(2)) == ("1 reply", "2 replies")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 1), st.sampled_from([-0.3, -0.1, -0.05, 0, 0.05, 0.2])), min_size=1))
def test_verdicts_alone_are_the_same_verdicts(models):
    rng = Random(3)

    def of(version, shares):
        return pools(
            run(
                [[float(rng.random() < share) for _ in range(25)] for _ in range(2)],
                version,
                run_id=f"r{at}",
                model=f"m{at}",
            )
            for at, share in enumerate(shares)
        )

    before = of(OLD, [share for share, _ in models[:6]])
    after = of(NEW, [share + change for share, change in models[:6]])
    for whole, brief in zip(
        compare_pools(before, after), compare_pools(before, after, verdicts_only=True), strict=True
    ):
        assert (brief.verdict, brief.change) == (whole.verdict, whole.change)
        assert list(reasons(brief)) == list(reasons(whole))
        assert (brief.before.ci95, brief.after.ci95) == (None, None)


def test_a_single_run_has_the_interval_of_its_record():
    """Published under other names its cases are in another order, by which other draws would be made."""
    accuracy = Accuracy(mean=0.8, ci95=(0.123, 0.987), anls_star=None, by_field={})
    before, after = run([[0.9, 0.7]] * 3, accuracy=accuracy), run([[0.9, 0.7]] * 3, NEW)
    found = compare_two(*pools([before]), *pools([after]))
    assert found.before.ci95 == (0.123, 0.987)
    fewer = compare_two(*pools([before]), *pools([run([[0.9, 0.7]] * 2, NEW)]))
    assert fewer.before.ci95 != (0.123, 0.987)
    again = run([[0.9, 0.7]] * 3, run_id="s", finished_at="2026-02-01T00:00:00Z")
    assert compare_two(*pools([before, again]), *pools([after])).before.ci95 != (0.123, 0.987)


def test_runs_whose_scores_trend_with_time_are_said():
    steady, trend = run([[0.9, 0.7]] * 3), run([[0.9, 0.7]] * 3, NEW, drifting=True)
    found = compare_two(*pools([steady]), *pools([trend]))
    assert (found.before.drifting, found.after.drifting) == (False, True)
    assert any("drifting after:" in reason for reason in reasons(found))
