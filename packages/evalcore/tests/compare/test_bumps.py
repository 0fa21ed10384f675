"""What became of a component between two trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.compare.bumps import bumps


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "2.9.9", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.9.0", "1.10.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.2", "fell"),
        ("2.0.0", "1.9.0", "fell"),
        ("1.1.0-rc.1", "1.1.0", "minor"),
        ("1.1.0-rc.1", "1.1.0-rc.2", "minor"),
        ("2.0.0-rc.1", "2.0.0", "major"),
        ("1.1.1-rc.1", "1.1.1", "patch"),
        ("1.1.0-rc.1", "1.1.1", "patch"),
        ("1.1.0-rc.1", "1.2.0", "minor"),
        ("1.0.0", "1.1.0-rc.1", "minor"),
        ("1.0.0", "2.0.0-rc.1", "major"),
        ("1.1.0", "1.1.0-rc.1", "fell"),
        ("1.10", "1.10.0", "new"),
        (None, "1.0.0", "new"),
        ("1.0.0", "1.10", "invalid"),
        ("1.0.0", None, "invalid"),
        ("nothing", "nothing", "invalid"),
        ("1.0.0", "9" * 5000 + ".0.0", "invalid"),
    ],
)
def test_a_rise_is_named_by_the_first_number_that_rose(
    before: str | None, after: str | None, change: str
) -> None:
    (found,) = bumps({"memo": before}, {"memo": after})
    assert (found.component, found.base_version, found.head_version) == ("memo", before, after)
    assert (found.change, found.evaluate) == (change, change in {"new", "major", "minor"})


def test_components_come_and_go_and_are_sorted_and_equal_versions_are_left_out() -> None:
    before = {"old": "1.0.0", "broken": None, "same": "1.0.0+a", "other": "3.0.0"}
    after = {"young": "1.0.0", "same": "1.0.0+b", "other": "3.0.0"}
    found = [(one.component, one.change) for one in bumps(before, after)]
    assert found == [("broken", "removed"), ("old", "removed"), ("young", "new")]


numbers = st.integers(0, 12)


@given(st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers))
def test_of_releases_exactly_those_whose_major_or_minor_rose_are_evaluated(
    old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    written = [".".join(map(str, numbers)) for numbers in (old, new)]
    found = bumps({"memo": written[0]}, {"memo": written[1]})
    assert bool(found) == (old != new)
    assert any(one.evaluate for one in found) == (new[:2] > old[:2])
