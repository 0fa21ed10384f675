"""Which declared key is likely meant by an undeclared one."""

from __future__ import annotations

import pytest

from evalcore.reports.run_report.likely import likely_keys


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("awardTitle", "award_title"),
        ("title", "award_title"),
        ("award_titel", "award_title"),
        ("recipient_org", "recipient_organization"),
        ("AWARD-TITLE", "award_title"),
    ],
)
def test_a_key_spelt_like_a_missing_one_likely_stands_for_it(key, meant):
    missing = {"award_title": 3, "pages": 9, "recipient_organization": 2}
    assert likely_keys(key, missing)[0].key == meant


def test_nothing_is_likely_where_nothing_is_alike_or_missing():
    assert likely_keys("zzz", {"award_title": 3}) == ()
    assert likely_keys("award_title_2", {}) == ()


def test_two_that_are_as_like_are_both_named_the_one_missing_more_often_first():
    found = likely_keys("date", {"start_date": 1, "end_date": 5, "award_title": 9})
    assert [(one.key, one.n_replies) for one in found] == [("end_date", 5), ("start_date", 1)]


def test_a_hostile_key_is_compared_as_any():
    assert likely_keys("\x00" * 100, {"award_title": 1}) == ()
