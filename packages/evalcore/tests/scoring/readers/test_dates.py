"""Where a date ends and what is none: the edges that no other library is asked about."""

# ruff: noqa: DTZ001 (a date has no zone)

from __future__ import annotations

from datetime import datetime

import pytest

from evalcore.scoring.readers.dates import (
    Moment,
    PartOfYear,
    match_moment,
    match_part_of_year,
    read_moment,
    read_year_and_month,
)

FIRST = datetime(2026, 7, 1)


def test_eight_digits_are_a_number_unless_they_are_said_to_be_a_date() -> None:
    assert match_moment("20260701", 0) is None
    assert match_moment("20260701", 0, eight_digits=True) == (Moment(FIRST), 8)
    assert read_moment("20260701") == Moment(FIRST)
    for none in ("202607011", "20261301", "20260732", "02260701", "2026070"):
        assert read_moment(none) is None


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2026-07", 7), ("2026/7", 7), ("07/2026", 7), ("1/2026", 1), ("2026-12", 12), ("2026-13", None),
        ("13/2026", None), ("2026-00", None), ("0/2026", None), ("2026", None), ("07-2026", None),
        ("2026-07-", None), ("in 2026-07", None),
    ],
)  # fmt: skip
def test_a_month_in_digits_has_its_year_beside_it(text: str, month: int | None) -> None:
    assert read_year_and_month(text) == (None if month is None else PartOfYear(month, 2026))


@pytest.mark.parametrize(
    ("text", "part", "end"),
    [
        ("july 2026", PartOfYear(7, 2026), 9),
        ("jul. of 2026 and", PartOfYear(7, 2026), 12),
        ("sept 2026", PartOfYear(9, 2026), 9),
        ("july 1", PartOfYear(7, day=1), 6),
        ("july the 1st", PartOfYear(7, day=1), 12),
        ("1st of july", PartOfYear(7, day=1), 11),
        ("31-dec", PartOfYear(12, day=31), 6),
    ],
)
def test_a_month_of_a_year_or_a_day_of_any_year(text: str, part: PartOfYear, end: int) -> None:
    assert match_part_of_year(text, 0) == (part, end)


@pytest.mark.parametrize(
    "text", ["july", "july 32", "july 1, 2026", "1 july 2026", "july 1-2", "32 july", "may be"]
)
def test_what_goes_on_as_something_else_is_no_part_of_a_year(text: str) -> None:
    assert match_part_of_year(text, 0) is None


@pytest.mark.parametrize("text", ["wednesday, july 1, 2026", "tue 2026-07-01", "thurs., 1 july 2026"])
def test_a_weekday_is_passed_over_right_or_wrong(text: str) -> None:
    assert read_moment(text) == Moment(FIRST)


@pytest.mark.parametrize(
    "text",
    [
        "2026-07/01", "2026-07-01-5", "2026-07-01/2", "2026.07.01.5", "2026-7-32", "2026-02-29", "0000-01-01",
        "1.7.26", "sat", "sat.", "wednesday july", "2026-07-01tx", "1july2026x", "july 1 20261",
        "31 april 2026",
    ],
)  # fmt: skip
def test_longer_numbers_codes_and_days_that_no_month_has_are_no_dates(text: str) -> None:
    assert read_moment(text) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-07-01t12:03:05z", datetime(2026, 7, 1, 12, 3, 5)),
        ("2026-07-01 12:00 utc", datetime(2026, 7, 1, 12)),
        ("2026-07-01 12:00 est", datetime(2026, 7, 1, 17)),
        ("2026-07-01 12:00 edt", datetime(2026, 7, 1, 16)),
        ("2026-07-01 20:00 pst", datetime(2026, 7, 2, 4)),
        ("2026-07-01t12:00+02:00", datetime(2026, 7, 1, 10)),
        ("2026-07-01t12:00-0530", datetime(2026, 7, 1, 17, 30)),
        ("2026-07-01t01:00 utc+02", datetime(2026, 6, 30, 23)),
        ("20260701t120305z", datetime(2026, 7, 1, 12, 3, 5)),
    ],
)
def test_with_a_zone_it_is_a_moment_in_utc(text: str, at: datetime) -> None:
    assert read_moment(text) == Moment(at, is_zoned=True)


def test_without_a_zone_it_stands_as_it_is_written() -> None:
    assert read_moment("2026-07-01t12:00:05") == Moment(datetime(2026, 7, 1, 12, 0, 5))
    assert read_moment("20260701t1200") == Moment(datetime(2026, 7, 1, 12))
    assert read_moment("20260701t2400") is None


def test_a_zone_that_leads_out_of_the_calendar_makes_it_none() -> None:
    assert read_moment("9999-12-31t23:00-05:00") is None
    assert read_moment("0001-01-01t01:00+05:00") is None
    assert read_moment("9999-12-31t23:00+05:00") is not None


def test_of_a_fraction_what_no_microsecond_holds_is_compared_as_digits() -> None:
    one, other = (read_moment(f"2026-07-01t12:00:05.123456{finer}z") for finer in ("78", "780"))
    assert one == other
    assert one is not None
    assert (one.at.microsecond, one.part) == (123456, "78")
    assert read_moment("2026-07-01t12:00:05.123456z") != one
    assert read_moment("2026-07-01t12:00:05.5z") == read_moment("2026-07-01t12:00:05.500000000z")
