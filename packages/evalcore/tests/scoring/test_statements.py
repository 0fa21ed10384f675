"""Digits, negations and ticks are not spelling: what makes two texts two statements, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonValue


def score(expected: JsonValue, answer: JsonValue) -> float:
    one = TreeScorer({"a": expected}).score({"a": answer}).accuracy
    assert one == TreeScorer({"a": answer}).score({"a": expected}).accuracy
    return one


# Wrong answers that are like the right one to the letter, and right ones that are not. Texts about calls
# and awards, as prompt libraries hold them. Each list's mean is bounded too, for what is added to it.

WRONG = [
    ("NSF 26-512", "NSF 26-521"),
    ("R01AI204977", "R01AI204797"),
    ("2026-07-14", "2026-06-14"),
    ("July 14, 2026", "July 14, 2027"),
    ("5:00 p.m. local time", "11:59 p.m. local time"),
    ("$618,220", "$618,202"),
    ("$2M per year", "$2B per year"),
    ("up to 46 awards", "up to 64 awards"),
    ("12 pages or fewer", "12 pages or more"),
    ("36 months", "30 months"),
    ("Letters of intent are not required", "Letters of intent are required"),
    ("Voluntary cost sharing is prohibited", "Voluntary cost sharing is permitted"),
    ("with prior approval of the sponsor", "without prior approval of the sponsor"),
    ("one proposal per institution", "two proposals per institution"),
    ("no later than June 3, 2027", "after June 3, 2027"),
    ("45 CFR Part 75", "45 CFR Part 57"),
    ("[x] Data management plan", "[ ] Data management plan"),
    ("Section 3 of the guide", "Section 5 of the guide"),
    ("Co-PIs are never counted", "Co-PIs are counted"),
    ("50% academic-year effort", "15% academic-year effort"),
    ("3% escalation", "3.5% escalation"),
    ("Room 118", "Room 181"),
    ("09/01/2025 to 08/31/2030", "09/01/2025 to 08/31/2026"),
    ("93.847", "93.874"),
    ("000000100", "00000100"),
    ("December 2024", "December 2025"),
    ("USD 500,000", "EUR 500,000"),
    ("at least two letters", "at most two letters"),
    ("Year 1: $65,000, Year 2: $66,950", "Year 1: $66,950, Year 2: $65,000"),
    ("Unaffiliated persons are ineligible", "Unaffiliated persons are eligible"),
]
RIGHT = [
    ("2026-07-14", "Tuesday, July 14, 2026"),
    ("07/14/2026", "14 July 2026"),
    ("2027-01-15", "15.01.2027"),
    ("September 1, 2025 to August 31, 2030", "2025-09-01 - 2030-08-31"),
    ("5:00 p.m. local time", "17:00 local time"),
    ("by 5 PM on July 14, 2026", "by 17:00 on 2026-07-14"),
    ("36 months", "three years"),
    ("3-year project", "36-month project"),
    ("90 days after the award", "ninety (90) days after the award"),
    ("$3,187,000", "USD 3,187,000.00"),
    ("$3,187,000", "3,187,000 US dollars"),
    ("$1.5 million", "$1,500,000"),
    ("$168M to $224M", "$168 million - $224 million"),
    ("five hundred thousand dollars", "$500,000"),
    ("€2.500,00", "EUR 2,500"),
    ("12 pages or fewer", "no more than 12 pages"),
    ("up to 46 awards", "a maximum of 46 awards"),
    ("12 pages", "12"),
    ("3%", "3 percent"),
    ("Voluntary cost sharing is prohibited", "Voluntary cost sharing is not allowed"),
    ("Foreign travel is forbidden", "Foreign travel is never permitted"),
    ("Applicants can't submit twice", "Applicants cannot submit twice"),
    ("One proposal per institution", "1 proposal per institution"),
    ("Example, Robin C.", "Robin C. Example"),
    ("Office of Integrative Activities", "OFFICE OF INTEGRATIVE ACTIVITIES"),
    ("“Data Management Plan” \N{EN DASH} required", '"data management plan" - Required'),
    ("not later than June 3, 2027", "on or before 3 June 2027"),
    ("Award No. 24-519", "Award number 24-519"),
    ("a one-page summary", "a 1-page summary"),
    ("two graduate students and one postdoc", "one postdoc and two graduate students"),
]


@pytest.mark.parametrize(("expected", "answer"), WRONG)
def test_a_wrong_answer_is_wrong_however_like_the_right_one(expected: str, answer: str) -> None:
    assert score(expected, answer) == 0


@pytest.mark.parametrize(("expected", "answer"), RIGHT)
def test_a_right_answer_is_right_however_it_is_written(expected: str, answer: str) -> None:
    assert score(expected, answer) > 0.85


def test_the_two_lists_are_far_apart() -> None:
    assert len(WRONG) == len(RIGHT) == 30
    assert sum(score(*pair) for pair in WRONG) / 30 < 0.1
    assert sum(score(*pair) for pair in RIGHT) / 30 > 0.85


# Kind by kind

SAME = {
    "identifiers": [("Award No. 555", "award #555"), ("W911NF-21-1-0007", "w911nf 21-1-0007"),
    ("007", "007")],
    "phones": [("(208) 555-0142", "208-555-0142"), ("+1 208 555 0142", "+1 (208) 555-0142")],
    "raised digits": [("10²", "10^2"), ("40 m²", "40 m2"), ("CO₂", "CO2"), ("10⁻³ M", "10^-3 M"),
    ("½", "1/2")],
    "dates": [
        ("March 9, 2027", "2027/03/09"),
        ("9-Mar-2027", "March 9th, 2027"),
        ("20270309", "2027-3-9"),
        ("09.03.2027", "3/9/2027"),
        ("28/02/2027", "Feb. 28, 2027"),
        ("2027-03-09", "2027-03-09T00:00:00"),
        ("2027-03", "March 2027"),
        ("03/2027", "Mar 2027"),
        ("March 9", "9 March"),
        ("March 9, 2027.", "the 9th of March, 2027"),
    ],
    "moments": [
        ("2027-03-09T17:00:00Z", "2027-03-09T17:00:00.000000000+00"),
        ("2027-03-09T17:00:00Z", "20270309T170000Z"),
        ("2027-03-09 09:00 PST", "2027-03-09T17:00Z"),
        ("March 9, 2027 at 5 p.m.", "2027-03-09T17:00"),
        ("5 p.m. on March 9, 2027", "2027-03-09T17:00"),
    ],
    "clock times": [
        ("08:30", "8:30 AM"), ("12:00", "noon"), ("0:15", "12:15 a.m."), ("17:00:00", "5pm"),
        ("11:59 p.m. EST", "23:59 Eastern"),
    ],
    "durations": [
        ("18 months", "1.5 years"), ("14 days", "two weeks"), ("90 minutes", "1 hour and 30 minutes"),
        ("P2Y", "24 months"), ("1 day", "24 hours"), ("2 yrs.", "two years"), ("24 months", "24"),
        ("2 to 3 days", "2-3 days"),
    ],
    "quantities": [
        ("5 copies", "5"), ("5 copies", "five copies"), ("100 kg", "100kg"), ("1,000", "1000"),
        ("8 people", 8),
        ("3.50", "3.5"), ("40%", "40 per cent"), ("40%", "40"), ("first year", "year 1"),
        ("Q3 2027", "third quarter of 2027"),
        ("FY2027", "fiscal year 2027"), ("10-20 pages", "10 to 20 pages"),
    ],
    "amounts": [
        ("$750", "US$750"), ("$750", "750 dollars"), ("$750", "USD 750.00"), ("$750", "CA$750"),
        ("A$750", "750 Australian dollars"),
        ("£1.5m", "1,500,000 British pounds"), ("¥90,000", "90,000 Japanese yen"),
        ("¥90,000", "CNY 90,000"),
        ("CHF 1'250.50", "1.250,50 Swiss francs"), ("₹12,34,567", "INR 1,234,567"),
        ("kr 900", "900 Danish kroner"),
        ("$2.5bn", "2.5 billion US dollars"), ("$1.1 trillion", "$1,100bn"), ("12,50 €", "EUR 12.50"),
        ("R$ 80", "80 Brazilian reals"),
        ("($300)", "-$300"), ("TRY 500", "500 Turkish lira"), ("US dollars 60", "$60"), ("$750", 750),
        ("500 zł", "PLN 500"),
        ("$5-10 million", "$5 million to $10 million"),
    ],
    "negations": [
        ("Travel is not allowed", "Travel is prohibited"), ("No meals are covered", "Meals aren't covered"),
        ("ineligible", "not eligible"), ("nonprofit bodies", "non-profit bodies"),
        ("is optional", "is not required"),
        ("without a fee", "with no fee"),
    ],
    "bounds": [
        ("no more than 3 letters", "up to 3 letters"), ("at least $500", "a minimum of $500"),
        ("≤ 6 pages", "6 pages or less"), ("more than 3 letters", "over 3 letters"),
    ],
    "boxes": [("[X] Budget", "☑ Budget"), ("✓ Budget", "[x] Budget"), ("☐ Budget", "Budget")],
    "words": [("Grants Office, Central", "central grants office"), ("Ohio  State", "ohio state"),
    ("78 º F", "78 °F")],
}  # fmt: skip
OTHER = {
    "identifiers": [
        ("02139", "2139"), ("0042", 42), ("Form 1120", "Form 1102"), ("A-7", "B-7"), ("24-101", "101-24"),
        ("DE-FOA-0003001", "DE-FOA-0003010"), ("v2.1.3", "v2.1.4"), ("x4@example.org", "x5@example.org"),
    ],
    "raised digits": [("10²", "102"), ("1½", "11/2"), ("x³", "x²"), ("10⁻³", "10-3"), ("H₂O", "H₃O")],
    "dates": [
        ("March 9, 2027", "March 10, 2027"), ("28/02/2027", "27/02/2027"), ("9-Mar-2027", "3-Sep-2027"),
        ("09.03.2027", "03.09.2027"), ("20270309", "20270308"), ("March 2027", "April 2027"),
        ("March 9", "March 8"),
        ("2027-03", "2027-04"),
    ],
    "moments": [
        ("2027-03-09T17:00:00Z", "2027-03-09T17:00:00"), ("2027-03-09", "2027-03-09T00:00Z"),
        ("2027-03-09T17:00:00.1234567Z", "2027-03-09T17:00:00.1234568Z"),
        ("2027-03-09", "2027-03-09T12:00"),
        ("2027-03-09 17:00 EST", "2027-03-09 17:00 PST"),
    ],
    "clock times": [("08:30", "8:30 PM"), ("noon", "midnight"), ("5 p.m. ET", "5 p.m. PT"),
    ("9:15", "9:51")],
    "durations": [
        ("18 months", "18 years"), ("30 days", "1 month"), ("10 business days", "10 days"), ("P2Y", "P2M"),
        ("365 days", "1 year"), ("24 months", "25"),
    ],
    "quantities": [
        ("5 copies", "6"), ("5 copies", "5 days"), ("40%", "0.4"), ("third year", "fourth year"),
        ("-4 °C", "4 °C"),
        ("2 posters and 3 talks", "3 posters and 2 talks"), ("10-20 pages", "10-30 pages"),
        ("1/4", "4/1"), ("twenty-five", "26"),
    ],
    "amounts": [
        ("$25,000,000", "$25,000,011"), ("$750", "€750"), ("US$750", "CA$750"), ("$750", "-$750"),
        ("£90", "¥90"),
        ("SEK 900", "NOK 900"), ("CHF 100", "CHF 1,00"), ("$2 million", "$2 billion"), ("$750", 751),
        ("500 PLN", "500 CZK"),
    ],
    "negations": [
        ("Travel is not allowed", "Travel is allowed"), ("No meals are covered", "Meals are covered"),
        ("direct costs", "indirect costs"), ("neither is due", "is due"), ("profit", "nonprofit"),
        ("yes", "no"),
        ("with a fee", "without a fee"), ("never funded", "funded"),
    ],
    "bounds": [
        ("up to 3 letters", "at least 3 letters"), ("more than 3 letters", "3 letters"),
        ("less than $500", "more than $500"), ("before March 9", "after March 9"),
    ],
    "boxes": [
        ("[x] Budget", "Budget"), ("☑ Budget", "☐ Budget"), ("yes [x] no [ ]", "yes [ ] no [x]"),
        ("[x] [ ] [x] Plan", "[x] [x] [ ] Plan"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "pair"), [(kind, pair) for kind, pairs in SAME.items() for pair in pairs])
def test_what_is_written_otherwise_is_the_same(kind: str, pair: tuple[str, str]) -> None:
    assert score(*pair) == 1, kind


@pytest.mark.parametrize(("kind", "pair"), [(kind, pair) for kind, pairs in OTHER.items() for pair in pairs])
def test_what_differs_in_a_value_a_negation_or_a_tick_is_another_statement(
    kind: str, pair: tuple[str, str]
) -> None:
    assert score(*pair) == 0, kind


@pytest.mark.parametrize(
    ("expected", "answer", "lowest", "highest"),
    [
        ("Lisbon", "Lisbom", 0.83, 0.84),
        ("University of Coimbra", "Universty of Coimbra", 0.9, 1),
        ("Room 12, Main Hall", "Room 12, Mian Hall", 0.8, 0.95),
        ("Principal Investigator", "Budget Officer", 0, 0),
        ("Moon", "Earth", 0, 0),
    ],
)
def test_a_slip_of_the_pen_stays_nearly_right(
    expected: str, answer: str, lowest: float, highest: float
) -> None:
    assert lowest <= score(expected, answer) <= highest


SENTENCES = [
    "The host shall keep records of all samples for seven years.",
    "Drones may not be flown over the reserve between April and July.",
    "Each team names one person who answers for its instruments.",
]


def test_a_sentence_of_a_list_is_held_to_its_values_and_negations() -> None:
    whole = {"id": "B-2", "rules": SENTENCES}
    scorer = TreeScorer(whole)

    def of(*rules: str) -> float:
        return scorer.score({"id": "B-2", "rules": list(rules)}).accuracy

    assert of(*SENTENCES) == 1
    assert of("For 7 years the host must keep records of all samples.", *SENTENCES[1:]) > 0.95
    assert of(SENTENCES[0].replace("seven", "six"), *SENTENCES[1:]) == 0.75
    assert of(SENTENCES[0], SENTENCES[1].replace("may not", "may"), SENTENCES[2]) == 0.75
    assert of(*SENTENCES, *(f"Invented rule {word} of the host about nothing much." for word in "abc")) < 0.6
    assert of() == 0.25


def test_prose_is_not_held_to_them() -> None:
    expected = {"ok": True, "why": "it has 3 signatures and names the person who is in charge"}
    answer = {"ok": True, "why": "it has 4 signatures and names the person who is in charge"}
    assert 0.9 < TreeScorer(expected).score(answer).accuracy < 1


@given(st.text(alphabet="0123456789$€.,:/-()[]x ²½%ancyovmt", max_size=40), st.text(max_size=20))
def test_every_text_is_itself_and_comparing_is_symmetric(one: str, other: str) -> None:
    assert score(one, one) == 1
    assert 0 <= score(one, f"{one} {other}") <= 1


@pytest.mark.parametrize(
    "unit",
    ["1", "1,", "1,111", "1.", "1-", "1:1", "$", "$1 ", "(", "((1", "jan ", "january 1, ", "one ",
    "hundred ",
     "one hundred and ", "1 year ", "p1y", "no ", "not more ", "[x] ", "a1", "usd ", "us dollars ",
     "1 us ", "-1", "½",
     "1 000 ", "2026-07-", "12:00:", "the 1 of "],
)  # fmt: skip
def test_hostile_texts_take_linear_time(unit: str) -> None:
    text = unit * (60_000 // len(unit))
    started = time.process_time()
    score(text, text + "x")
    assert time.process_time() - started < 4


@pytest.mark.parametrize("text", ["at most", "up to", "no more than", "At least", "not only", "#", "from"])
def test_an_answer_of_nothing_but_a_bound_is_scored_like_any_other(text: str) -> None:
    assert score("at most 15 pages", text) < 1
    assert score(text, text) == 1
