"""Which permissions a token lacks: what is granted is held against what is needed, by name and level."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.github.permissions import LEVELS, PERMISSIONS, lacking

ALL = {each.name: each.level for each in PERMISSIONS}


def names(granted: dict[str, str]) -> list[str]:
    return [each.name for each in lacking(granted)]


def test_without_any_all_are_lacking_those_first_without_which_nothing_is_published() -> None:
    assert names({}) == [each.name for each in PERMISSIONS]
    needed = [each.is_needed for each in PERMISSIONS]
    assert needed == sorted(needed, reverse=True)


def test_with_all_none_is_lacking_whatever_is_granted_besides() -> None:
    assert names(ALL | {"metadata": "read", "actions": "write"}) == []


@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("level", ["read", "", "none", "WRITE", "owner"])
def test_a_level_that_is_lower_or_none_of_githubs_is_not_enough(permission, level: str) -> None:
    assert names(ALL | {permission.name: level}) == [permission.name]


@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda each: each.name)
def test_a_higher_level_is_enough(permission) -> None:
    assert names(ALL | {permission.name: "admin"}) == []


@given(st.dictionaries(st.sampled_from([*ALL, "metadata"]), st.sampled_from([*LEVELS, "none"])))
def test_to_be_granted_more_never_lacks_more(granted: dict[str, str]) -> None:
    assert set(names(granted | dict.fromkeys(granted, "admin"))) <= set(names(granted))
