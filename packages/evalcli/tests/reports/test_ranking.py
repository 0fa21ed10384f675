from __future__ import annotations

from collections.abc import Callable

import msgspec

from evalcli.leaderboards.present_policy import PolicyHash
from evalcli.reports.ranking import heading, identical_notes, notes, ranking_table
from evalcore.library.component import SkippedCase
from evalcore.reports.ranking import Ranking, rankings
from evalcore.runs.record import RunRecord

MakeRecord = Callable[..., RunRecord]


def _one(*records: RunRecord) -> Ranking:
    (ranking,) = rankings(records)
    return ranking


def test_a_model_of_several_runs_is_named_once_for_its_identical_replies(
    make_record: MakeRecord,
) -> None:
    reproducibility = msgspec.structs.replace(make_record().reproducibility, may_differ=0.26)
    runs = [make_record(number, reproducibility=reproducibility) for number in (1, 2)]
    (one,) = identical_notes(runs[:1])
    assert one.startswith("big: ")
    assert list(identical_notes(runs)) == [one]


def test_the_table_has_a_row_for_each_pool_and_says_which_run_is_partial(make_record: MakeRecord) -> None:
    table = ranking_table(_one(make_record(mean=0.5), make_record(2, mean=None, status="partial")), "x")
    assert [row[2] for row in table.rows] == ["0.500", "-"]
    assert [row[0] for row in table.rows] == ["1", "-"]
    assert [row[-1] for row in table.rows] == ["complete", "partial"]


def test_over_the_cases_in_common_no_failed_calls_are_told_of_the_others(make_record: MakeRecord) -> None:
    """A record counts its failed calls over all of its cases."""
    one = make_record()
    (case,) = one.case_results
    second = msgspec.structs.replace(case, case="two", sha256="e" * 64)
    more = make_record(2, model="more", cases=2, cases_sha256="f" * 64, case_results=(case, second))
    common = next(found for found in rankings([one, more]) if found.are_cases_shared)
    table = ranking_table(common, "x")
    assert [row[table.headings.index("failed")] for row in table.rows] == ["-", "-"]


def test_without_partial_runs_there_is_no_column_for_it(make_record: MakeRecord) -> None:
    table = ranking_table(_one(make_record()), "x")
    assert table.headings[-1] == "failed"


def test_the_heading_says_what_it_is_of(make_record: MakeRecord) -> None:
    assert heading("memo", _one(make_record(), make_record(2, replicates=5))) == (
        "memo 1.0.0: 1 case x 1 to 5, scoring 1"
    )


def test_rankings_of_one_version_have_titles_of_their_own(make_record: MakeRecord) -> None:
    first = make_record()
    later = make_record(2, policy_sha256="f" * 64, rescored_from=first.run_id, finished_at=first.finished_at)
    found = rankings([first, later, make_record(3, component_version="0.9.0")])
    assert [heading("memo", one, found) for one in found] == [
        "memo 1.0.0: 1 case x 1, scoring 1, policy ffffffffffff",
        "memo 1.0.0: 1 case x 1, scoring 1, no policy",
        "memo 0.9.0: 1 case x 1, scoring 1",
    ]


def test_older_rules_are_named_with_what_brings_them_up(make_record: MakeRecord) -> None:
    assert any("leaderboard rescore memo" in note for note in notes("memo", _one(make_record())))


def test_of_two_policies_the_title_says_which_one_is_the_present_one(make_record: MakeRecord) -> None:
    first = make_record()
    later = make_record(2, policy_sha256="f" * 64, rescored_from=first.run_id)
    found = rankings([first, later])

    def policies(present: PolicyHash | None) -> set[str]:
        return {heading("memo", one, found, present).rpartition(", ")[2] for one in found}

    assert policies(PolicyHash("f" * 64)) == {
        "policy ffffffffffff (the present one)",
        "no policy (an earlier one)",
    }
    assert policies(PolicyHash(None)) == {
        "policy ffffffffffff (an earlier one)",
        "no policy (the present one)",
    }
    # Another one may be that of data sets which are not at hand.
    assert policies(PolicyHash("e" * 64)) == policies(None) == {"policy ffffffffffff", "no policy"}
    assert "policy" not in heading("memo", _one(first), [_one(first)], PolicyHash("e" * 64))


def test_a_case_was_broken_when_it_was_run_and_may_be_mended_since(make_record: MakeRecord) -> None:
    skipped = (SkippedCase("two", "is not JSON", broken=True),)
    first = make_record(1, skipped_cases=skipped)
    (case,) = first.case_results
    mended = msgspec.structs.replace(case, case="two", sha256="e" * 64)
    later = make_record(
        2, cases=2, cases_sha256="f" * 64, case_results=(case, mended), started_at="2026-02-01T09:00:00Z"
    )
    alone = "\n".join(notes("memo", _one(first)))
    assert f"When run on {first.started_at[:10]}, 1 case was broken and is left out" in alone
    found = rankings([first, later])
    assert not any("broken" in note for one in found for note in notes("memo", one, found))
