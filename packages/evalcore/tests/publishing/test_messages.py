"""What people read on GitHub: the table, what is left out, and that foreign text stays text."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from evalcore.compare.versions import previous_version
from evalcore.library.component import SkippedCase
from evalcore.publishing.messages import (
    Results,
    commit_message,
    commit_subject,
    escape_markdown,
    is_commit_of,
    pull_request_body,
)
from evalcore.publishing.pull_request import PullRequestOptions
from evalcore.runs.leaderboard import known_records, leaderboard_of
from evalcore.runs.record import RunRecord
from evalsim.testing import COMMIT, make_record

MARKDOWN = MarkdownIt("commonmark").enable("table")


def record(model: str = "good", mean: float | None = 0.9, **changes: Any) -> RunRecord:
    """A run record with everything at some value."""
    values = {
        "run_id": f"run-{model}-{changes.get('component_version', '1.2.0')}",
        "component_version": "1.2.0",
        "prompt_commit": COMMIT,
        "model": model,
        "replicates": 5,
        "cases": 2,
        "case_results": [],
        "calls": {"total": 10, "ok": 10, "api_error": 0, "parse_error": 0, "truncated": 0},
        "reproducibility": {"mean": 0.5, "ci95": None, "identical_rate": 0.5, "by_field": {}},
        "latency_ms": {"p50": 1234.0, "p95": 2000.0},
        "tokens": {"prompt": 1, "completion": 1},
    }
    return make_record(mean=mean, **values | changes)


def results(*records: RunRecord, **changes: Any) -> Results:
    values = {
        "job_id": "job-1",
        "slug": "budget",
        "version": "1.2.0",
        "prompt_commit": COMMIT,
        "replicates": 5,
        "records": records,
        "skipped_models": {},
        "skipped_cases": (),
        "earlier": leaderboard_of("budget", []),
    }
    return Results(**values | changes)


def table(body: str, *, folded: bool = False) -> list[list[str]]:
    """The rows of the table as its reader sees them; `folded`: of the one among the details."""
    rows: list[list[str]] = []
    tokens = MARKDOWN.parse(body.split("<details>")[folded])
    for token, inside in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in {"td_open", "th_open"}:
            rows[-1].append("".join(child.content for child in inside.children or []))
    return rows


def scored(model: str, scores: list[float], number: int = 0, **changes: Any) -> RunRecord:
    """A run of one case with these scores."""
    case = {"case": "a", "sha256": "d" * 64, "validated_against_version": None, "reproducibility": 0.8}
    return record(
        model,
        sum(scores) / len(scores),
        run_id=f"{model}-{number}",
        replicates=len(scores),
        case_results=[case | {"scores": scores}],
        **changes,
    )


def test_a_rank_is_a_range_where_the_replies_do_not_show_which_is_better() -> None:
    good, fair, poor = [0.95, 0.9, 0.92, 0.94, 0.96], [0.93, 0.91, 0.95, 0.9, 0.94], [0.2] * 5
    runs = scored("poor", poor), scored("good", good), scored("fair", fair)
    body = pull_request_body(results(*runs))
    assert [(row[0], row[1], row[2].split(" (")[0]) for row in table(body)[1:]] == [
        ("1–2", "good", "93.4 %"),
        ("1–2", "fair", "92.6 %"),
        ("3", "poor", "20.0 %"),
    ]
    assert COMMIT in body
    assert "is a range" in body


def test_running_again_until_it_looks_good_only_adds_to_the_same_figure() -> None:
    earlier = leaderboard_of("budget", [scored("m", [0.7] * 5, 1), scored("m", [0.7] * 5, 2)])
    body = pull_request_body(results(scored("m", [0.9] * 5, 3), earlier=earlier))
    head, row = table(body)
    assert row[2].startswith("76.7 % (")
    assert (head[3], row[3]) == ("Runs", "3 (15 replies)")
    assert "count together" in body


def test_ranks_are_among_all_models_of_the_version() -> None:
    earlier = leaderboard_of("budget", [scored("best", [0.9] * 5), scored("other", [0.1] * 5)])
    body = pull_request_body(results(scored("mid", [0.5] * 5), earlier=earlier))
    assert table(body)[1][0] == "2"
    assert "Ranks are among the 3 of this version in the leaderboard." in body


def test_intervals_stand_behind_their_means() -> None:
    accuracy = {"mean": 0.9, "ci95": [0.851, 0.949], "anls_star": 0.9, "by_field": {}}
    (row,) = table(pull_request_body(results(record(accuracy=accuracy))))[1:]
    assert row[2] == "90.0 % (85.1 to 94.9)"


def test_partial_runs_are_shown_as_such_and_not_ranked() -> None:
    calls = {"total": 10, "ok": 5, "api_error": 4, "parse_error": 1, "truncated": 1}
    body = pull_request_body(results(record("cut", 1.0, status="partial", calls=calls), record("good", 0.5)))
    good, cut = table(body)[1:]
    assert good[0] == "1"
    assert (cut[0], cut[1], cut[-1]) == ("-", "cut", "partial, not ranked")
    assert "5 of 10: 4 without reply, 1 unparsable" in cut
    assert "too many replies" in body


def test_the_reason_of_a_partial_run_is_told() -> None:
    reason = "69 of 100 calls were never answered: unauthorized, the key is not accepted (401)"
    cut = record("cut", 1.0, status="partial", reason=reason)
    body = pull_request_body(results(cut, record("good", 0.5)))
    assert "Partial runs:\n\n- `cut`: `69 of 100 calls were never answered: unauthorized, " in body


def test_previous_versions_figures_stand_beside() -> None:
    earlier = leaderboard_of(
        "budget",
        [
            record("good", 0.7, component_version="1.1.0"),
            record("good", 0.1, component_version="1.0.0"),
            record("good", 0.3, component_version="2.0.0"),
            record("gone", 0.9, component_version="1.1.0"),
            record("part", 0.9, component_version="1.1.0", status="partial"),
        ],
    )
    told = results(record("good", 0.8), record("part", 0.6), earlier=earlier)
    assert previous_version(known_records(told.earlier), told.version) == "1.1.0"
    body = pull_request_body(told)
    rows = {row[1]: row for row in table(body)[1:]}
    before = {row[0]: row for row in table(body, folded=True)[1:]}
    assert (rows["good"][2], before["good"][1]) == ("80.0 %", "70.0 %")
    assert (rows["part"][2], before["part"][1]) == ("60.0 %", "-")
    assert "gone" not in rows


def cases(*scores: float, sha256: str = "c" * 64, validated: str | None = None) -> dict[str, Any]:
    """What makes a record one of these scores, in one case."""
    mean = sum(scores) / len(scores)
    return {
        "case_results": [
            {
                "case": "one",
                "sha256": sha256,
                "validated_against_version": validated,
                "scores": scores,
                "reproducibility": None,
            }
        ],
        "accuracy": {"mean": mean, "ci95": [0.1, 0.9], "anls_star": mean, "by_field": {"due": mean}},
    }


HIGH, LOW = (0.9, 0.95, 1.0, 0.95, 0.9, 0.95), (0.4, 0.45, 0.5, 0.45, 0.4, 0.45)


def test_each_model_gets_its_verdict_against_the_previous_version() -> None:
    server = {"version": "2", "quantization": None, "context_length": None, "backends": None}
    earlier = leaderboard_of(
        "budget",
        [
            record("down", component_version="1.1.0", **cases(*HIGH)),
            record("up", component_version="1.1.0", **cases(*LOW)),
            record("even", component_version="1.1.0", **cases(*HIGH)),
            record("other", component_version="1.1.0", **cases(*HIGH, sha256="d" * 64)),
        ],
    )
    told = results(
        record("down", server=server, **cases(*LOW)),
        record("up", **cases(*HIGH)),
        record("even", **cases(*HIGH)),
        record("other", **cases(*LOW)),
        record("new", **cases(*HIGH)),
        earlier=earlier,
    )
    body = pull_request_body(told)
    rows = {row[1]: row for row in table(body)[1:]}
    assert {model: row[3] for model, row in rows.items()} == {
        "down": "regression (-50.0)",
        "up": "improvement (+50.0)",
        "even": "no evidence (+0.0)",
        "other": "not comparable",
        "new": "-",
    }
    lines = body.splitlines()
    told_of = {
        model: next(line for line in lines if line.startswith(f"- `{model}`: "))
        for model in ("down", "even", "other")
    }
    assert "server changed (version)" in told_of["down"]
    assert "moved most: `due` 94.2 % to 44.2 %" in told_of["down"]
    assert "1 run against 1" in told_of["down"]
    assert "of one model among 3 would be found four times in five" in told_of["even"]
    assert "moved" not in told_of["even"]
    assert "no case has the same input" in told_of["other"]
    assert lines.index(told_of["down"]) < lines.index(told_of["even"])
    assert "Intervals (95 %) are for these cases" in body


def test_runs_of_one_version_count_together_and_a_partial_one_gets_no_verdict() -> None:
    earlier = leaderboard_of(
        "budget",
        [
            record("good", component_version="1.1.0", **cases(*HIGH)),
            record("good", run_id="second", component_version="1.1.0", **cases(*HIGH)),
            record("part", component_version="1.1.0", **cases(*HIGH)),
        ],
    )
    body = pull_request_body(
        results(
            record("good", **cases(*HIGH)), record("part", status="partial", **cases(*LOW)), earlier=earlier
        )
    )
    assert "2 runs against 1" in body
    rows = {row[1]: row for row in table(body)[1:]}
    assert rows["part"][3] == "-"
    assert "- `part`: " not in body


def test_columns_that_say_nothing_are_left_out() -> None:
    body = pull_request_body(results(record(schema_valid_rate=None)))
    assert table(body)[0] == ["#", "Model", "Accuracy", "Reproducibility", "Calls failed"]
    assert table(body, folded=True)[0] == ["Model", "Calls", "Latency p50", "p95"]
    calls = {"total": 10, "ok": 10, "api_error": 0, "parse_error": 0, "truncated": 2}
    priced = pull_request_body(
        results(record(), record("dear", cost_usd=0.5, calls=calls, schema_valid_rate=0.5))
    )
    assert table(priced)[0][4:] == ["Schema-valid", "Calls failed", "Cost"]
    assert {row[1]: row[4:] for row in table(priced)[1:]} == {
        "good": ["-", "0 of 10", "-"],
        "dear": ["50.0 %", "0 of 10", "0.5000 USD"],
    }
    assert {row[0]: row[2] for row in table(priced, folded=True)} == {
        "Model": "Cut off",
        "good": "0",
        "dear": "2",
    }


def test_what_must_be_known_to_read_the_figures_is_told() -> None:
    alike = {"mean": 1.0, "ci95": None, "identical_rate": 1.0, "by_field": {}, "may_differ": 0.2589}
    accuracy = {"mean": 0.9, "ci95": None, "anls_star": 0.9, "by_field": {}, "measures": "wording"}
    stale = cases(*[1.0] * 10, validated="1.0.0")["case_results"]
    stale = [{**case, "may_differ": 0.2589} for case in stale]
    body = pull_request_body(
        results(record(scoring_version=3, reproducibility=alike, accuracy=accuracy, case_results=stale))
    )
    assert "scoring version 3" in body
    assert "**wording, not correctness**" in body
    assert "- `good`: `10 identical replies: up to 26 % may still differ`" in body
    assert "Cases last validated against an older version:\n\n- `one`: `1.0.0`" in body


def test_the_previous_version_is_read_by_its_newest_scoring() -> None:
    first = record("good", 0.2, component_version="1.1.0")
    again = record(
        "good", 0.7, component_version="1.1.0", run_id="again", scoring_version=2, rescored_from=first.run_id
    )
    body = pull_request_body(
        results(record("good", scoring_version=2), earlier=leaderboard_of("budget", [first, again]))
    )
    assert table(body, folded=True)[1][1] == "70.0 %"


def test_versions_are_compared_as_versions() -> None:
    earlier = leaderboard_of(
        "budget", [record(component_version=v) for v in ("1.9.0", "1.10.0", "1.12.0-rc.1")]
    )
    assert previous_version(known_records(earlier), "1.11.0") == "1.10.0"
    assert previous_version(known_records(earlier), "1.0.0") is None


def test_broken_cases_stand_in_the_first_lines() -> None:
    skipped = [SkippedCase("a|b", "it: is not JSON", broken=True), SkippedCase("stub", "it: has no input")]
    lines = pull_request_body(results(record(), skipped_cases=skipped)).splitlines()
    assert lines[2].startswith("Evaluated ")
    assert lines[4].startswith("**1 case is broken and left out, so the figures are of the others alone: `a")
    assert "stub" not in lines[4]


def test_what_is_left_out_is_told_with_its_reason() -> None:
    body = pull_request_body(
        results(
            record(),
            skipped_models={"llama": "not served now"},
            skipped_cases=[SkippedCase(case=f"case-{n}", reason="no expected answer") for n in range(40)],
        )
    )
    assert "- `llama`: `not served now`" in body
    assert "- `case-0`: `no expected answer`" in body
    assert "- and 10 more" in body


def test_body_is_bounded_whatever_comes() -> None:
    long = "x" * 10_000
    earlier = leaderboard_of(
        "budget",
        [record(f"{n}{long}", run_id=f"{n}", component_version="1.1.0", **cases(*HIGH)) for n in range(150)],
    )
    body = pull_request_body(
        results(
            *(record(f"{n}{long}", run_id=f"new-{n}", **cases(*LOW)) for n in range(150)),
            earlier=earlier,
            skipped_models={f"{n}{long}": long for n in range(200)},
            skipped_cases=[SkippedCase(case=long, reason=long)] * 500,
        )
    )
    assert len(body) < 60_000
    assert "50 more models" in body


def test_subject_is_the_contracts_and_the_suffix_is_added() -> None:
    told = results(record("a"), record("b"))
    assert commit_subject(told) == "eval(budget): 1.2.0, 2 models"
    told = told._replace(options=PullRequestOptions(commit_suffix="[skip ci]"))
    assert commit_subject(told) == "eval(budget): 1.2.0, 2 models [skip ci]"
    assert (
        commit_subject(results(record(), version="1.0.0\n[skip ci] @all"))
        == "eval(budget): 1.0.0skipciall, 1 models"
    )


def test_commit_is_known_by_its_job() -> None:
    message = commit_message(results(record()))
    assert is_commit_of(message, "job-1")
    assert not is_commit_of(message, "job-11")
    assert not is_commit_of(message, "job")


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="`|\\[]()<>*_#@:!~-+\n\r\t &;/.=\"'{}$%^0aZ\u202e\u200b\x1b\x00", max_size=120),
    st.sampled_from(
        (
            "@everyone", "#1", "acme/library#1", "https://evil.example", "<img src=x>", "<!-- -->",
            "</details>",
            "![x](https://evil.example/x.png)", "```\n# h", "| a | b |", "a\\|b", "$$x$$", ":+1:", "&#64;all",
            "[skip ci]", "[ci skip]", "[ Skip\nCI ]", "::error::x", ":::", "##[error]x", "skip-checks: true",
            "\x1b[31mred", "`` ` ``", " ` ", "`", "\\", "a\\",
        )
    ),
)  # fmt: skip


@given(HOSTILE)
@example("`")
@example("``a`")
@example("a\u2028b")
def test_foreign_text_is_one_piece_of_code_and_nothing_else(text: str) -> None:
    shown = escape_markdown(text, 60)
    assert "\n" not in shown
    (opening, inline, closing) = MARKDOWN.parse(shown)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    children = inline.children or []
    if shown == "(empty)":
        assert [child.type for child in children] == ["text"]
        return
    assert [child.type for child in children] == ["code_inline"]
    assert len(children[0].content) <= 60 + 30  # the text, and what breaks marks in it
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@given(HOSTILE)
def test_foreign_text_triggers_nothing_that_reads_plain_text(text: str) -> None:
    shown = escape_markdown(text, 60).lower()
    for mark in (
        "[skip ci]",
        "[ci skip]",
        "[no ci]",
        "[skip actions]",
        "[actions skip]",
        "::",
        "##[",
        "skip-checks: true",
    ):
        assert mark not in shown


@given(HOSTILE, HOSTILE, HOSTILE)
def test_foreign_text_never_changes_the_tables_shape(model: str, case: str, reason: str) -> None:
    body = pull_request_body(
        results(
            record(model or "m"),
            record("other", 0.1),
            skipped_models={model: reason},
            skipped_cases=[SkippedCase(case=case, reason=reason)],
        )
    )
    rows = table(body)
    assert [len(row) for row in rows] == [5, 5, 5]
    tokens = MARKDOWN.parse(body)
    # Nothing but what folds the details away.
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert blocks == ["<details>\n<summary>Details</summary>\n", "</details>\n"]
    kinds = {token.type for token in tokens}
    assert kinds.isdisjoint({"fence", "code_block", "heading_open", "blockquote_open", "hr"})
    inline = {child.type for token in MARKDOWN.parse(body) for child in token.children or []}
    assert inline <= {
        "text",
        "code_inline",
        "strong_open",
        "strong_close",
        "em_open",
        "em_close",
        "softbreak",
    }


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_harmless_text_is_shown_as_it_is(text: str) -> None:
    assert escape_markdown(text, 60) == f"`{text}`"
