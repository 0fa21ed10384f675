from __future__ import annotations

import pytest

from evalcore.near_names import did_you_mean

KNOWN = ["award-notice", "phi4:14b", "qwen/qwen3-14b", "qwen/qwen3-32b"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("award-notize", "did you mean `award-notice`?"),
        ("AWARD-NOTICE", "did you mean `award-notice`?"),
        ("award", "did you mean `award-notice`?"),
        ("phi4", "did you mean `phi4:14b`?"),
        ("qwen3", "did you mean `qwen/qwen3-14b`?"),
        ("zz", ""),
        ("a", ""),
        ("", ""),
    ],
)
def test_a_name_is_near_by_its_spelling_or_as_a_part_of_another(name: str, said: str) -> None:
    assert did_you_mean(name, KNOWN) == said


def test_several_names_are_named_where_that_is_wished() -> None:
    assert did_you_mean("qwen/qwen3-14", KNOWN, 2) == "did you mean `qwen/qwen3-14b` or `qwen/qwen3-32b`?"
