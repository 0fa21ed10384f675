"""What has never been evaluated, how fresh the rest is, and how an evaluation is started."""

from __future__ import annotations

import msgspec
import pytest

from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts, ModelFacts
from evalcore.reports.dashboard.gaps import freshness, gaps_of, in_order, starts
from evalsim.testing import make_record

LOCAL, CLOUD = ModelFacts("alpha", "mindrouter"), ModelFacts("gamma", "anthropic")
LIBRARY = LibraryFacts(name="library", models=(LOCAL, CLOUD))
MEMO = ComponentFacts(slug="memo", name="Memo", version="1.1.0", prompt_sha256="a" * 64)


def at(version: str, number: int = 1, **fields):
    return make_record(number, component_version=version, **fields)


@pytest.mark.parametrize(
    ("records", "missing"),
    [
        ([], [("component", None)]),
        ([at("1.1.0", status="partial")], [("component", None)]),
        ([at("1.0.0")], [("version", None)]),
        ([at("1.1.0")], [("model", "gamma")]),
        # A patch is not evaluated by itself.
        ([at("1.1.7")], [("model", "gamma")]),
        ([at("1.1.0"), at("1.1.0", 2, model="gamma")], []),
        ([at("1.1.0"), at("1.0.0", 2, model="gamma")], [("model", "gamma")]),
    ],
)
def test_what_is_missing_is_named_once_at_the_level_that_it_is_missing_at(records, missing):
    found = gaps_of(MEMO, records, LIBRARY)
    assert [(gap.kind, gap.model) for gap in found] == missing


def test_a_component_without_a_version_lacks_none():
    assert gaps_of(msgspec.structs.replace(MEMO, version=None), [at("1.0.0")], LIBRARY) == ()


def test_what_is_missing_altogether_comes_first():
    zoo = msgspec.structs.replace(MEMO, slug="zoo")
    found = in_order([*gaps_of(MEMO, [at("1.1.0")], LIBRARY), *gaps_of(zoo, [], LIBRARY)])
    assert [gap.component for gap in found] == ["zoo", "memo"]


@pytest.mark.parametrize(
    ("version", "state", "said"),
    [
        ("1.1.0", "current", "validated at 1.1.0, the present version"),
        ("1.0.0", "outdated", "validated at 1.0.0, now 1.1.0: run again"),
        ("1.1.4", "patch", "validated at 1.1.4, now 1.1.0: a patch, which is evaluated on request only"),
        ("odd", "outdated", "validated at odd, now 1.1.0: run again"),
    ],
)
def test_freshness_is_told_by_the_version(version, state, said):
    assert freshness(MEMO, at(version), has_partial=False) == (state, said)


def test_a_prompt_that_changed_under_its_version_is_not_fresh():
    state, said = freshness(MEMO, at("1.1.0", prompt_sha256="b" * 64), has_partial=False)
    assert (state, said) == ("changed", "validated at 1.1.0, but the prompt has changed since: run again")


def test_without_a_complete_run_it_is_said_whether_there_were_partial_ones():
    assert freshness(MEMO, None, has_partial=True)[0] == "partial"
    assert freshness(MEMO, None, has_partial=False)[0] == "never"
    unreadable = msgspec.structs.replace(MEMO, version=None)
    assert freshness(unreadable, at("1.0.0"), has_partial=False)[1] == (
        "validated at 1.0.0, now unreadable: run again"
    )


def test_local_models_are_asked_of_the_service_and_others_called():
    assert [one.command for one in starts("memo", LIBRARY, LOCAL)] == ["evalcli trigger memo --model alpha"]
    assert [one.command for one in starts("memo", LIBRARY, CLOUD)] == ["evalcli evaluate memo --model gamma"]
    assert [one.command for one in starts("memo", LibraryFacts(name="library"))] == ["evalcli evaluate memo"]


def test_a_models_name_is_no_part_of_the_shell():
    hostile = ModelFacts("x; rm -rf ~ '$(id)'", "mindrouter")
    (start,) = starts("memo", LIBRARY, hostile)
    assert start.command == "evalcli trigger memo --model 'x; rm -rf ~ '\"'\"'$(id)'\"'\"''"
