from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.excerpts import excerpts

BEGINNING = "The applicant shall submit the following documents together with the form: "


def test_short_texts_stay_as_they_are() -> None:
    assert excerpts("a form", "a letter", 60) == ("a form", "a letter")


def test_two_that_begin_alike_are_cut_around_the_first_word_that_differs() -> None:
    one, other = excerpts(f"{BEGINNING}a cover letter", f"{BEGINNING}a covering note", 40)
    assert one == "…with the form: a cover letter"
    assert other == "…with the form: a covering note"


def test_what_follows_is_cut_too() -> None:
    one, other = excerpts("right" + " and so on" * 20, "wrong", 20)
    assert (one, other) == ("right and so on and…", "wrong")


@given(st.text(), st.text(), st.text(), st.integers(9, 60))
def test_excerpts_are_short_and_differ_where_the_texts_do(
    same: str, one: str, other: str, longest: int
) -> None:
    cut = excerpts(same + one, same + other, longest)
    assert max(map(len, cut)) <= max(longest, 0)
    assert (cut[0] == cut[1]) == (same + one == same + other)
