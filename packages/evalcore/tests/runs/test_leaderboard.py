"""Merging is a union by run id; the file is the same bytes whatever the order; others' records stay."""

import contextlib
import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.errors import LeaderboardError
from evalcore.runs.leaderboard import (
    Leaderboard,
    encode_leaderboard,
    known_records,
    leaderboard_of,
    leaderboard_schema,
    merge_leaderboards,
    parse_leaderboard,
)
from evalcore.runs.record import (
    record_object,
)
from evalsim.testing import make_record


def record(run_id="r1", version="1.0.0", model="m", finished="2026-01-01T00:00:00.000Z", mean=1 / 3):
    return make_record(
        mean=mean,
        run_id=run_id,
        component_version=version,
        model=model,
        params={"temperature": 0.1},
        finished_at=finished,
    )


foreign = st.fixed_dictionaries(
    {"run_id": st.sampled_from([f"r{n}" for n in range(8)])},
    optional={
        "component_version": st.sampled_from(["1.0.0", "1.0.0-rc.1", "1.10.0", "1.9.0", "not a version", 7]),
        "model": st.sampled_from(["a", "b"]),
        "finished_at": st.sampled_from(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
    },
)


@st.composite
def leaderboards(draw, contents):
    """Leaderboards whose records come from one pool, so that one id always has one content."""
    ids = draw(st.sets(st.sampled_from(sorted(contents))))
    return leaderboard_of("c", [contents[run_id] for run_id in sorted(ids, key=hash)])


pools = st.lists(foreign, min_size=1, max_size=8).map(lambda items: {item["run_id"]: item for item in items})


@given(st.data(), pools)
def test_merging_is_commutative_associative_and_idempotent(data, pool):
    a, b, c = (data.draw(leaderboards(pool)) for _ in range(3))
    encoded = encode_leaderboard
    assert encoded(merge_leaderboards(a, b)) == encoded(merge_leaderboards(b, a))
    left = merge_leaderboards(merge_leaderboards(a, b), c)
    right = merge_leaderboards(a, merge_leaderboards(b, c))
    assert encoded(left) == encoded(right)
    assert encoded(merge_leaderboards(a, a)) == encoded(a)


@given(st.data(), pools)
def test_what_is_written_reads_back_the_same(data, pool):
    board = data.draw(leaderboards(pool))
    written = encode_leaderboard(board)
    assert encode_leaderboard(parse_leaderboard(written, "x")) == written


def test_records_are_sorted_by_version_as_semver_then_model_then_time_then_id():
    records = [
        record("r5", "1.10.0"),
        record("r4", "1.9.0", "b"),
        record("r3", "1.9.0", "a", "2026-02-01T00:00:00.000Z"),
        record("r2", "1.9.0", "a", "2026-01-01T00:00:00.000Z"),
        record("r1", "1.9.0", "a", "2026-01-01T00:00:00.000Z"),
        record("r0", "1.9.0-rc.1", "z"),
    ]
    assert [run["run_id"] for run in leaderboard_of("c", records).runs] == [
        "r0",
        "r1",
        "r2",
        "r3",
        "r4",
        "r5",
    ]


def test_another_evaluators_record_is_carried_through_as_it_stands():
    theirs = {"zeta": {"b": 1, "a": 0.12345678901234}, "run_id": "future", "component_version": "9.0.0"}
    data = json.dumps({"schema_version": 1, "component": "c", "runs": [theirs], "note": ["kept"]}).encode()
    merged = merge_leaderboards(parse_leaderboard(data, "x"), leaderboard_of("c", [record()]))
    written = json.loads(encode_leaderboard(merged))
    assert list(written["runs"][1].items()) == list(theirs.items())
    assert list(written["runs"][1]["zeta"]) == ["b", "a"]
    assert written["note"] == ["kept"]
    assert [run.run_id for run in known_records(merged)] == ["r1"]


@pytest.mark.parametrize("field", ["\ud800", "origin"])
def test_half_a_surrogate_pair_in_anothers_record_breaks_nothing(field):
    theirs = record_object(record("r2")) | {field: "\ud800"}
    data = json.dumps({"schema_version": 1, "component": "c", "runs": [theirs, record_object(record())]})
    board = parse_leaderboard(data.encode(), "x")
    assert encode_leaderboard(parse_leaderboard(encode_leaderboard(board), "x")) == encode_leaderboard(board)
    assert [run.run_id for run in known_records(board)] == ["r1"]


def test_nesting_that_not_every_python_could_write_is_refused():
    for depth, is_read in ((190, True), (210, False), (990, False), (100_000, False)):
        runs = f'[{{"run_id": "r", "x": {"[" * depth}{"]" * depth}}}]'
        data = f'{{"schema_version": 1, "component": "c", "runs": {runs}}}'.encode()
        if is_read:
            assert encode_leaderboard(parse_leaderboard(data, "x"))
        else:
            with pytest.raises(LeaderboardError, match="nested over 200 deep"):
                parse_leaderboard(data, "x")


def test_unknown_fields_beside_the_runs_merge_as_records_do():
    def board(extra):
        head = {"schema_version": 1, "component": "c", "runs": []}
        return parse_leaderboard(json.dumps(head | extra).encode(), "x")

    one, other = board({"z": {"a": 1, "b": 2}, "y": 1}), board({"y": 1, "z": {"b": 2, "a": 1}})
    written = {encode_leaderboard(merge_leaderboards(*pair)) for pair in ((one, other), (other, one))}
    assert len(written) == 1
    for each in (one, other):
        assert encode_leaderboard(merge_leaderboards(each, each)) == encode_leaderboard(each)


def test_one_id_with_two_contents_is_an_error():
    with pytest.raises(LeaderboardError, match="r1 is there with two different contents"):
        merge_leaderboards(leaderboard_of("c", [record(mean=0.1)]), leaderboard_of("c", [record(mean=0.2)]))


def test_leaderboards_of_two_components_do_not_merge():
    with pytest.raises(LeaderboardError, match="two components"):
        merge_leaderboards(Leaderboard("a"), Leaderboard("b"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema_version": 1, "component": "c"}',
        '{"schema_version": 2, "component": "c", "runs": []}',
        '{"schema_version": true, "component": "c", "runs": []}',
        '{"schema_version": 1, "component": "", "runs": []}',
        '{"schema_version": 1, "component": "c", "runs": {}}',
        '{"schema_version": 1, "component": "c", "runs": [1]}',
        '{"schema_version": 1, "component": "c", "runs": [{"model": "m"}]}',
        '{"schema_version": 1, "component": "c", "runs": [{"run_id": "a", "x": NaN}]}',
        '{"schema_version": 1, "component": "c", "runs": [{"run_id": "a", "x": 1e999}]}',
        '{"schema_version": 1, "component": "c", "runs": [{"run_id": "a", "run_id": "b"}]}',
        '{"schema_version": 1, "component": "c", "runs": [{"run_id": "a"}, {"run_id": "a", "x": 1}]}',
        '{"schema_version": 1, "component": "c", "runs": ' + "[" * 200_000,
        "\ufeff{}",
    ],
)
def test_a_file_that_is_not_valid_is_refused_with_its_name(text):
    with pytest.raises(LeaderboardError, match=r"leaderboard\.json"):
        parse_leaderboard(text.encode(), "leaderboard.json")


def test_bytes_that_are_not_utf_8_are_refused():
    with pytest.raises(LeaderboardError, match="not valid JSON"):
        parse_leaderboard(b'{"a": "\xff"}', "leaderboard.json")


@given(st.binary() | st.text().map(str.encode))
def test_reading_anything_gives_a_leaderboard_or_a_leaderboard_error(data):
    with contextlib.suppress(LeaderboardError):
        parse_leaderboard(data, "x")


def test_our_records_keep_the_contracts_order_of_keys_and_nine_digits():
    value = record_object(record())
    assert list(value)[:7] == [
        "run_id", "job_id", "origin", "component_version", "prompt_commit", "prompt_sha256", "dataset_commit",
    ]  # fmt: skip
    later = list(value)[list(value).index("reproducibility") :]
    assert later[:5] == ["reproducibility", "schema_valid_rate", "latency_ms", "tokens", "cost_usd"]
    assert value["accuracy"]["mean"] == 0.333333333


def test_a_record_of_the_first_scoring_still_reads():
    value = record_object(record())
    del value["rescored_from"]
    for part, later in (
        ("accuracy", ["ci95_like_cases"]),
        ("reproducibility", ["ci95_like_cases", "may_differ"]),
    ):
        for key in later:
            del value[part][key]
    del value["case_results"][0]["may_differ"]
    (old,) = known_records(leaderboard_of("c", [value]))
    assert old.rescored_from is old.accuracy.ci95_like_cases is old.reproducibility.may_differ is None


def test_the_schema_accepts_our_records_and_others_and_refuses_what_is_not_a_leaderboard():
    validator = jsonschema_rs.validator_for(leaderboard_schema())
    board = json.loads(encode_leaderboard(leaderboard_of("c", [record()])))
    assert validator.is_valid(board)
    board["runs"][0]["added_later"] = {"x": 1}
    assert validator.is_valid(board)
    board["runs"][0]["accuracy"]["mean"] = 1.5
    assert not validator.is_valid(board)
    assert not validator.is_valid({"schema_version": 1, "component": "c"})
