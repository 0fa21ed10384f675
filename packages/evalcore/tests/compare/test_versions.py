"""Which version comes before which: by semver, of those that have a complete run."""

import msgspec
import pytest

from evalcore.compare.versions import evaluated_versions, previous_version
from evalcore.structs import Frozen


class Run(Frozen, frozen=True):
    """As much of a record as versions are told by."""

    component_version: str
    status: str = "complete"


RUNS = [
    Run("1.9.0"),
    Run("1.10.0"),
    Run("1.10.0"),
    Run("1.10.0-rc.1"),
    Run("1.11.0", "partial"),
    Run("odd"),
]


def test_versions_with_a_complete_run_come_newest_first():
    assert evaluated_versions(RUNS) == ["1.10.0", "1.10.0-rc.1", "1.9.0"]
    assert evaluated_versions([]) == []


@pytest.mark.parametrize(
    ("version", "previous"),
    [
        ("1.12.0", "1.10.0"),
        ("1.11.0", "1.10.0"),
        ("1.10.0", "1.10.0-rc.1"),
        ("1.10.0-rc.1", "1.9.0"),
        ("1.9.0", None),
        ("odd", None),
    ],
)
def test_the_previous_version_is_the_highest_below(version, previous):
    assert previous_version(RUNS, version) == previous


def test_order_of_records_plays_no_part():
    shuffled = [msgspec.structs.replace(run) for run in reversed(RUNS)]
    assert evaluated_versions(shuffled) == evaluated_versions(RUNS)


@pytest.mark.parametrize(
    ("earlier", "version", "previous"),
    [
        ([], "1.1.0", None),
        (["1.1.0"], "1.1.0", None),
        (["1.2.0"], "1.1.0", None),
        (["0.9.0", "0.10.0"], "1.1.0", "0.10.0"),
        (["1.0.0", "1.1.0-rc.1"], "1.1.0", "1.1.0-rc.1"),
    ],
)
def test_it_is_below_the_version_and_the_nearest_to_it(earlier, version, previous):
    assert previous_version([Run(one) for one in earlier], version) == previous


def test_a_partial_run_makes_no_previous_version():
    assert previous_version([Run("1.0.0", "partial")], "1.1.0") is None
