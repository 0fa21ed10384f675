"""Rankings as the pages show them: which versions, what a row says, what is current."""

from __future__ import annotations

import msgspec
import pytest

from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalcore.reports.dashboard.rankings import component_rankings, ranking_view
from evalcore.reports.dashboard.site import Report
from evalcore.reports.ranking import rankings
from evalsim.testing import make_record, make_scored_record

MEMO = ComponentFacts(slug="memo", name="Memo", version="1.1.0", prompt_sha256="a" * 64)
LIBRARY = LibraryFacts(name="library")


def versions_of(*records) -> list[str]:
    return [one.component_version for one in component_rankings(records, {})]


def first_view(*records, component=MEMO, library=LIBRARY):
    return ranking_view(rankings(records)[0], component, library)


def test_the_newest_version_is_ranked():
    assert versions_of(make_record(1), make_record(2, component_version="1.1.0")) == ["1.1.0"]


def test_the_version_before_stays_while_it_has_more_models():
    under_way = [
        make_record(1),
        make_record(2, model="beta"),
        make_record(3, component_version="1.1.0"),
        make_record(4, component_version="1.1.0", model="beta", status="partial"),
    ]
    assert versions_of(*under_way) == ["1.1.0", "1.0.0"]


def test_without_a_complete_run_the_partial_ones_of_the_newest_version_stand():
    partial = [
        make_record(1, status="partial"),
        make_record(2, component_version="1.1.0", status="partial"),
    ]
    assert versions_of(*partial) == ["1.1.0"]
    assert versions_of() == []


def test_what_is_current_is_told_by_version_prompt_and_policy():
    view = first_view(make_record(1, component_version="1.1.0"))
    assert (view.is_current_version, view.is_current_prompt, view.is_current_policy) == (True, True, True)
    view = first_view(make_record(1, prompt_sha256="b" * 64, policy_sha256="c" * 64))
    assert (view.is_current_version, view.is_current_prompt) == (False, False)
    # The data sets may have a policy of their own, and are not at hand.
    assert view.is_current_policy is None
    at_hand = msgspec.structs.replace(LIBRARY, has_data_sets=True)
    assert first_view(make_record(1, policy_sha256="c" * 64), library=at_hand).is_current_policy is False


def test_cost_and_tokens_are_per_reply_and_unknown_where_a_run_does_not_say():
    fields = {"calls": {"total": 4, "ok": 3, "api_error": 0, "parse_error": 1, "truncated": 1}}
    priced = make_record(1, cost_usd=0.02, tokens={"prompt": 100, "completion": 40}, **fields)
    (row,) = first_view(priced).rows
    assert (row.cost_usd_per_1000_replies, row.cost_usd_per_run) == (5.0, 0.02)
    assert (row.prompt_tokens, row.completion_tokens) == (25.0, 10.0)
    (row,) = first_view(priced, make_record(2, **fields)).rows
    assert (row.cost_usd_per_1000_replies, row.cost_usd_per_run, row.prompt_tokens) == (None, None, None)
    assert row.calls.parse_error == 2


def test_a_partial_run_has_no_rank_and_says_why():
    view = first_view(
        make_scored_record(1, [0.9] * 5), make_record(2, status="partial", reason="3 of 9 calls")
    )
    complete, partial = view.rows
    assert (complete.rank, complete.is_level_with_best, complete.reason) == ((1, 1), True, None)
    assert (partial.rank, partial.is_level_with_best, partial.reason) == (None, False, "3 of 9 calls")


def test_a_ranking_is_called_by_what_it_is_of():
    one = first_view(make_record(1))
    assert one.id == first_view(make_record(1), make_record(2, model="beta")).id
    assert one.id != first_view(make_record(1, cases_sha256="d" * 64)).id


@pytest.mark.parametrize("rescored_from", [None, "first"])
def test_a_report_is_linked_at_the_run_that_it_is_about(rescored_from):
    record = make_record(1, rescored_from=rescored_from)
    report = Report(
        name="r",
        path="components/memo/evals/reports/r",
        url="https://example.org/r",
        run_id=rescored_from or record.run_id,
        model=None,
        component_version=None,
        generated_at=None,
        replies=None,
        missed=(),
        invented=(),
    )
    component = msgspec.structs.replace(MEMO, reports=(report,))
    (row,) = first_view(record, component=component).rows
    assert (row.links.report, row.links.report_path) == (report.url, report.path)


def test_wording_is_said_to_be_no_correctness():
    record = make_record(1)
    wording = msgspec.structs.replace(
        record, accuracy=msgspec.structs.replace(record.accuracy, measures="wording")
    )
    assert (first_view(wording).measures, first_view(record).measures) == ("wording", "correctness")


def test_a_row_of_a_server_that_is_gone_is_marked():
    view = first_view(
        make_scored_record(1, [0.9] * 5, server={"version": "1"}),
        make_scored_record(2, [0.8] * 5, server={"version": "2"}),
        make_scored_record(3, [0.7] * 5, params={"temperature": 1}),
        make_scored_record(4, [0.6] * 5, status="partial"),
    )
    assert [(row.accuracy, row.is_superseded) for row in view.rows] == [
        (0.9, True),
        (0.8, False),
        (0.7, False),
        (0.6, False),
    ]
