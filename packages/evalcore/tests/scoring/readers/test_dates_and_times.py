"""Dates, clock times and durations, held against python-dateutil and babel; each disagreement is decided."""

# ruff: noqa: DTZ001 (a date has no zone)

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from babel.dates import format_date, format_time, format_timedelta
from dateutil import parser as dateutil
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.readers.dates import Moment, read_moment, read_year_and_month
from evalcore.scoring.readers.durations import read_duration
from evalcore.scoring.readers.times import ClockTime, match_time

DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%B %d, %Y", "%b %d, %Y", "%b. %d %Y", "%d %B %Y",
    "%d-%b-%Y",
    "%A, %B %d, %Y", "%a, %d %b %Y", "%b-%d-%Y", "%d%b%Y", "%m/%d/%Y", "%Y %B %d", "%Y-%b-%d",
    "%A %d %B %Y",
    "%dth of %B %Y", "%B %dst, %Y",
)  # fmt: skip


def read_time(text: str) -> ClockTime | None:
    found = match_time(text, 0)
    return found[0] if found and found[1] == len(text) else None


def moment(text: str) -> datetime | None:
    found = read_moment(text.lower())
    if found is None:
        return None
    return found.at.replace(tzinfo=UTC) if found.is_zoned else found.at


def by_dateutil(text: str, *, day_first: bool = False) -> datetime:
    found = dateutil.parse(text, dayfirst=day_first)
    return found.astimezone(UTC) if found.tzinfo else found


@given(DAYS, st.sampled_from(FORMS))
def test_a_date_is_what_dateutil_says_it_is(day: date, form: str) -> None:
    text = day.strftime(form)
    assert moment(text) == by_dateutil(text) == datetime(day.year, day.month, day.day), text


@given(DAYS)
def test_dots_are_day_first_as_dateutil_says_when_asked_to(day: date) -> None:
    text = day.strftime("%d.%m.%Y")
    assert moment(text) == by_dateutil(text, day_first=True)


@given(DAYS)
def test_slashes_are_day_first_only_where_they_cannot_be_month_first(day: date) -> None:
    text = day.strftime("%d/%m/%Y")
    # dateutil decides as we do: month first where that can be.
    assert moment(text) == by_dateutil(text)


@given(
    DAYS, st.sampled_from(["short", "medium", "long", "full"]), st.sampled_from(["en_US", "en_GB", "en_AU"])
)
def test_dates_as_babel_writes_them_in_english_are_read(day: date, form: str, locale: str) -> None:
    text = format_date(day, form, locale=locale)
    read = moment(text)
    if form == "short":
        # Decided: two digits are no year, and day first is not known of the place where it was written.
        assert read is None or text.count("/") == 2
    else:
        assert read == datetime(day.year, day.month, day.day), text


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)),
    st.sampled_from(["", "Z", "+00:00", "-07:00", "+0530", "+02"]),
    st.sampled_from(["seconds", "milliseconds", "microseconds", "minutes"]),
    st.sampled_from(["T", " "]),
)
def test_moments_of_iso_8601_are_what_dateutil_says(
    at: datetime, zone: str, precision: str, mark: str
) -> None:
    text = at.isoformat(mark, precision) + zone
    assert moment(text) == by_dateutil(text), text


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)), st.sampled_from(["", "Z", "+00"]))
def test_the_basic_form_of_iso_8601_is_what_dateutil_says(at: datetime, zone: str) -> None:
    text = f"{at:%Y%m%dT%H%M%S}{zone}"
    assert moment(text) == by_dateutil(text)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)),
    st.sampled_from(["%I:%M %p", "%I:%M%p", "%H:%M"]),
)
def test_a_named_date_with_a_time_is_what_dateutil_says(at: datetime, form: str) -> None:
    text = at.strftime(f"%B %d, %Y {form}")
    assert moment(text) == by_dateutil(text)
    assert moment(text) == moment(at.strftime(f"%B %d, %Y at {form}"))


def test_dates_of_mail_are_what_dateutil_says() -> None:
    text = "Tue, 09 Mar 2027 17:00:00 -0800"
    assert moment(text) == by_dateutil(text)


# What dateutil reads otherwise, and why it is not followed.
DECIDED = {
    "2027": "a year is no date; dateutil takes day and month of today",
    "March 2027": "as above; it is a month",
    "9": "a number",
    "March 9": "no year",
    "17:00": "no date",
    "3/9/27": "two digits are no year",
    "2027-03-09T24:00:00": "the end of a day is the next one's midnight, which nobody means",
    "09-27-03": "no form of a date that is known to be one",
    "2027-068": "a day of the year",
    "2027-W10-2": "a week's day",
}


@pytest.mark.parametrize("text", DECIDED)
def test_what_is_no_date_to_us(text: str) -> None:
    assert moment(text) is None


@pytest.mark.parametrize(
    "text", ["2027-13-01", "2027-02-30", "31 June 2027", "Foo 3, 2027", "2027-03-09T25:00",
    "2027-03-09T10:60",
             "2027-03-09T10:00+25", "21-1-0007", "2027-03-09x", "2027-03-09-1", "1.2.3.2027", "", "t"]
)  # fmt: skip
def test_what_is_no_date_to_anybody(text: str) -> None:
    assert moment(text) is None


def test_a_weekday_is_passed_over_right_or_wrong() -> None:
    # As dateutil does: the date is what is asked for.
    assert moment("Monday, March 9, 2027") == by_dateutil("Monday, March 9, 2027") == datetime(2027, 3, 9)


def test_fractions_beyond_the_sixth_digit_are_kept() -> None:
    base = "2027-03-09t17:00:00"
    assert read_moment(f"{base}.000000000z") == read_moment(f"{base}z")
    assert read_moment(f"{base}.0000001z") == Moment(datetime(2027, 3, 9, 17), is_zoned=True, part="1")


@pytest.mark.parametrize(
    ("zone", "hour"), [("EST", 22), ("EDT", 21), ("CST", 23), ("PDT", 0), ("GMT", 17), ("UTC", 17)]
)
def test_american_zones_are_those_of_rfc_5322(zone: str, hour: int) -> None:
    found = moment(f"2027-03-09 17:00 {zone}")
    assert found is not None
    assert (found.hour, found.tzinfo) == (hour, UTC)


@pytest.mark.parametrize("zone", ["IST", "BST", "CET", "ET"])
def test_zones_of_several_meanings_make_no_moment(zone: str) -> None:
    assert moment(f"2027-03-09 17:00 {zone}") is None


def test_a_month_of_a_year_in_digits() -> None:
    assert read_year_and_month("2027-03") == read_year_and_month("03/2027")
    assert read_year_and_month("2027-13") is None


@given(st.times(), st.sampled_from(["%I:%M %p", "%H:%M", "%H:%M:%S", "%I:%M:%S %p"]))
def test_a_clock_time_is_what_dateutil_says(at: time, form: str) -> None:
    text = at.strftime(form)
    found = read_time(text.lower())
    assert found is not None
    wanted = dateutil.parse(text).time()
    assert found.second == wanted.hour * 3600 + wanted.minute * 60 + wanted.second


@given(st.times())
def test_a_clock_time_as_babel_writes_it_in_english_is_read(at: time) -> None:
    text = format_time(at, "short", locale="en_US").replace("\u202f", " ")
    found = read_time(text.lower())
    assert found is not None
    assert found.second == at.hour * 3600 + at.minute * 60


@pytest.mark.parametrize(
    "text", ["24:00", "25:10", "7", "13 pm", "0 am", "7:60", "7:5", "13:00 noon", "5 pmx"]
)
def test_what_is_no_clock_time(text: str) -> None:
    assert read_time(text) is None


UNITS = {
    "year": 365 * 86_400,
    "month": 30 * 86_400,
    "week": 604_800,
    "day": 86_400,
    "hour": 3600,
    "minute": 60,
}


@given(st.integers(2, 400), st.sampled_from(sorted(UNITS)))
def test_a_duration_is_read_as_babel_writes_it(count: int, unit: str) -> None:
    text = format_timedelta(count * UNITS[unit], granularity=unit, threshold=10**9, locale="en_US")
    found = read_duration(text.replace(",", ""))
    assert found is not None, text
    seconds = 0 if unit in {"year", "month"} else count * UNITS[unit]
    assert found.length == (count * {"year": 12, "month": 1}.get(unit, 0), seconds)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("36 months", (36, 0)), ("three years", (36, 0)), ("1 year and 6 months", (18, 0)),
        ("1.5 years", (18, 0)),
        ("12-month", (12, 0)), ("2 yrs. 3 mos.", (27, 0)), ("p3y", (36, 0)), ("p1y6m", (18, 0)),
        ("pt1h30m", (0, 5400)),
        ("2 weeks", (0, 1_209_600)), ("90 calendar days", (0, 7_776_000)),
        ("1 year, 10 days", (12, 864_000)),
    ],
)  # fmt: skip
def test_durations(text: str, length: tuple[int, int]) -> None:
    found = read_duration(text)
    assert found is not None
    assert found.length == length


@pytest.mark.parametrize(
    "text", ["30 days, 60 days", "10 business days", "months", "3", "p", "pt", "3 monthsx", "a year"]
)
def test_what_is_no_duration(text: str) -> None:
    assert read_duration(text) is None
