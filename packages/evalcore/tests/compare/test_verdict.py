"""What may be compared, what counts together, and when a change is called one."""

import math
import re
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.compare.pool import pool_of_run, pools, pools_of_version
from evalcore.compare.verdict import Comparison, NotComparable, compare_pools, compare_two, describe
from evalcore.runs.plan import Server
from evalcore.runs.record import Accuracy, CaseResult
from evalcore.stats.permutation import adjusted, can_alarm, equal_sizes, fall_p, smallest_p
from evalcore.stats.sampling import seeded_uniform
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
    assert f"could have shown a change of {found.smallest_change:.3f}" in describe(found)


def test_three_replies_of_one_case_cannot_alarm_four_can():
    found = outcome([[1.0] * 3], [[0.0] * 3])
    assert found.verdict == "cannot alarm"
    assert found.smallest_change is None
    assert "too few replies" in describe(found)
    assert outcome([[1.0] * 4], [[0.0] * 4]).verdict == "regression"


def test_the_least_p_of_a_design_is_one_in_all_ways_to_deal_the_labels():
    assert smallest_p([3]) == pytest.approx(1 / 20)
    assert smallest_p([2, 2]) == pytest.approx(1 / 36)
    assert [can_alarm(sizes) for sizes in ([3], [4], [2, 2], [2, 3], [1] * 6, [])] == [
        False, True, False, True, True, False,
    ]  # fmt: skip


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


def test_equal_numbers_are_left_on_both_sides_and_always_the_same_ones():
    before, after = [[1.0] * 5, [0.0, 0.5, 1.0]], [[1.0] * 3, [0.1, 0.2, 0.3, 0.4, 0.5]]
    first = equal_sizes(before, after, seeded_uniform("x"))
    assert [[len(case) for case in side] for side in first] == [[3, 3], [3, 3]]
    assert equal_sizes(before, after, seeded_uniform("x")) == first
    assert set(first[1][1]) <= set(after[1])


def test_the_p_of_two_sides_that_share_no_score_is_the_designs_least():
    p = fall_p([[0.9] * 5], [[0.5] * 5], 0.02, seeded_uniform("x"), permutations=20_000)
    assert p == pytest.approx(1 / 252, abs=0.0015)


def test_ties_count_against_an_alarm():
    """Sums that differ by rounding alone are equal: 0.1 + 0.2 against 0.3."""
    p = fall_p([[0.3, 0.0]], [[0.1 + 0.2 - 0.3, 0.0]], 0.0, seeded_uniform("x"))
    assert p == pytest.approx(0.5, abs=0.05)


def test_false_alarms_are_rare_and_large_falls_are_found():
    """The whole table is docs/calibration.md; here one noisy cell of it."""
    random = Random(7)

    def share_of_alarms(right):
        alarms = 0
        for _ in range(200):
            sides = [[[float(random.random() < p) for _ in range(10)]] for p in (0.9, right)]
            alarms += fall_p(*sides, 0.02, random.random, permutations=199) <= 0.025
        return alarms / 200

    assert share_of_alarms(0.9) <= 0.03
    assert share_of_alarms(0.2) >= 0.85


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusted_p_values_keep_their_order_and_are_never_smaller(p_values):
    found = adjusted(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, found, strict=True))
    ranked = [found[at] for at in sorted(range(len(p_values)), key=lambda at: p_values[at])]
    assert ranked == sorted(ranked)


def test_adjusted_p_values_are_benjamini_and_hochbergs():
    assert adjusted([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert adjusted([]) == []


def test_one_alarm_of_many_models_must_be_stronger_than_one_alone():
    """Five replies of one case give p = 1/252 at best: enough among 5 models, not among 20."""

    def verdicts(count):
        before = [pool(run([[0.9] * 5], model=f"m{at:02}")) for at in range(count)]
        after = [pool(run([[0.5 if at == 0 else 0.9] * 5], NEW, model=f"m{at:02}")) for at in range(count)]
        return [found.verdict for found in compare_pools(before, after)]

    assert verdicts(3) == ["regression", "no evidence", "no evidence"]
    assert set(verdicts(20)) == {"no evidence"}


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
    assert "2 case(s) left out" in describe(found)


def test_all_complete_runs_of_a_version_count_together_and_their_number_is_told():
    """Running again until it looks good: the good run is diluted by the bad ones."""
    runs = [run([[0.7] * 10], NEW, "a"), run([[0.7] * 10], NEW, "b"), run([[0.9] * 10], NEW, "c")]
    found = compare_two(pool(run([STABLE])), pool(*runs))
    assert found.after.run_ids == ("a-1.1.0", "b-1.1.0", "c-1.1.0")
    assert found.after.mean == pytest.approx(2.3 / 3)
    assert "1 run(s) against 3" in describe(found)


def test_partial_runs_and_calls_without_a_reply_count_nowhere():
    assert pools([run([STABLE], status="partial")]) == []
    assert list(pool(run([[0.5, None, 0.7]])).scores().values()) == [[0.5, 0.7]]


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_sha256": "1" * 64}, {"schema_sha256": "1" * 64}, {"cases_sha256": "1" * 64},
        {"params": {"temperature": 1}}, {"scoring_version": 3}, {"policy_sha256": "1" * 64}, {"model": "n"},
        {"component_version": "2.0.0"}, {"structured_output": "json_object"},
    ],
)  # fmt: skip
def test_runs_that_were_asked_or_scored_otherwise_are_another_pool(changes):
    records = [run([STABLE], run_id="a"), run([STABLE], run_id="b", **changes)]
    assert len(pools(records)) == 2


def test_of_two_scorings_of_one_run_the_newer_counts():
    old = run([STABLE], run_id="first", scoring_version=1)
    new = run([STABLE], run_id="again", scoring_version=2, rescored_from=old.run_id)
    assert pool(old, new).records == (new,)
    assert pool_of_run([old, new], old.run_id).records == (new,)
    assert pool_of_run([old, new], "nobody") is None


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
