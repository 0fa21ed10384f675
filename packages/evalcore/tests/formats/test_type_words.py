"""What does not fit is said in words, with the bound that was passed."""

from __future__ import annotations

import pytest

from evalcore.formats.type_words import in_type_words


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("Expected `int` >= 1", "it should be a whole number of at least 1"),
        ("Expected `int` <= 100", "it should be a whole number of at most 100"),
        ("Expected `float` > 0.0", "it should be a number above 0"),
        ("Expected `int | null`, got `str`", "it should be a whole number or nothing, and is text"),
        ("Invalid enum value 'json'", "`json` is not one of its values"),
        ("Expected `str` of length >= 1", "it should be text of length >= 1"),
    ],
)
def test_what_does_not_fit_is_said_in_words(what: str, words: str) -> None:
    assert in_type_words(what) == words
