"""Versions are read and ordered as semver says; what is none has its place too."""

import pytest

from evalcore.formats.versions import parse_version, version_order


@pytest.mark.parametrize("text", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3 ", "latest"])
def test_what_is_no_semver_is_none(text):
    assert parse_version(text) is None


def test_people_may_leave_out_what_is_zero_where_that_is_allowed():
    assert parse_version("1.2", is_short_allowed=True) == parse_version("1.2.0")
    assert parse_version("latest", is_short_allowed=True) is None


def test_versions_stand_in_the_order_of_semver_after_what_is_none():
    ordered = ["draft", "latest", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.2.0", "1.10.0"]
    shuffled = [ordered[at] for at in (4, 1, 6, 0, 3, 5, 2)]
    assert sorted(shuffled, key=version_order) == ordered


def test_the_build_does_not_count():
    assert version_order("1.0.0+a") == version_order("1.0.0+b")
