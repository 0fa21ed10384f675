"""Scores that trend with time are seen; those that vary, or resemble the one before, are not."""

from random import Random

from evalcore.stats.drift import drifts
from evalcore.stats.sampling import seeded_uniform


def seen(cases):
    return drifts(cases, seeded_uniform("test"))


def test_a_run_whose_scores_fall_while_it_is_under_way_drifts():
    random = Random(1)
    falling = [[0.9 - 0.02 * at + random.gauss(0, 0.03) for at in range(10)] for _ in range(3)]
    assert seen(falling)
    assert seen([case[::-1] for case in falling])


def test_a_server_that_changes_half_way_is_seen():
    assert seen([[0.9] * 5 + [0.8] * 5] * 3)


def test_scores_that_never_vary_have_no_trend():
    assert not seen([])
    assert not seen([[0.9] * 10, [1.0]])


def test_few_runs_that_only_vary_are_flagged():
    random = Random(5)
    runs = [[[float(random.random() < 0.8) for _ in range(10)] for _ in range(3)] for _ in range(400)]
    assert sum(map(seen, runs)) <= 0.02 * 400


def test_of_two_replies_to_one_case_no_trend_can_be_told():
    assert not seen([[0.0, 1.0]])
