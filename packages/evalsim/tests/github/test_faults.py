"""What the simulated GitHub is asked to do wrong comes as often, and where, as it was asked for."""

from __future__ import annotations

from typing import get_args

import pytest

from evalsim.github.faults import Fault, Faults, Operation
from evalsim.github.rest import REPOSITORY_ROUTES


def test_every_call_that_has_a_name_can_be_asked_to_fail() -> None:
    """A name that is not listed is refused by POST /sim/faults, though a test may write it."""
    assert {name for _, _, _, name in REPOSITORY_ROUTES if name} <= set(get_args(Operation))


def taken(faults: Faults, *operations: str) -> str | None:
    fault = faults.take(*operations)
    return None if fault is None else fault.message


def test_a_fault_comes_as_often_as_it_was_asked_for_and_without_a_number_until_they_are_cleared() -> None:
    faults = Faults()
    faults.add(Fault(on="push", message="twice", times=2))
    faults.add(Fault(on="push", message="always"))
    assert [taken(faults, "push") for _ in range(5)] == ["twice"] * 2 + ["always"] * 3
    faults.clear()
    assert taken(faults, "push") is None


def test_of_several_the_first_that_was_asked_for_comes_and_others_are_for_other_calls() -> None:
    faults = Faults()
    for on, message in (("pulls.create", "one"), ("api", "any"), ("pulls.create", "other")):
        faults.add(Fault(on=on, message=message, times=1))
    assert taken(faults, "push") is None
    assert [taken(faults, "api", "pulls.create") for _ in range(4)] == ["one", "any", "other", None]


@pytest.mark.parametrize(
    ("fault", "is_so"),
    [
        (Fault(on="api"), False),
        (Fault(on="api", delay=1.0), True),
        (Fault(on="api", delay=1.0, status=500), False),
        (Fault(on="api", delay=1.0, answer_lost=True), False),
    ],
)
def test_what_is_only_late_succeeds(fault: Fault, *, is_so: bool) -> None:
    assert fault.is_delay_only is is_so
