"""What report pages are put together from: figures that may be unknown, and foreign text."""

from __future__ import annotations

import pytest

from evalcore.reports.run_report import page_parts
from evalcore.reports.run_report.summary import WHOLE, Percentiles


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (page_parts.share(0.125), "12.5 %"),
        (page_parts.share(None), "–"),
        (page_parts.interval((0.1, 0.25)), " (95 % interval 10.0–25.0 %)"),
        (page_parts.interval(None), ""),
        (page_parts.part_of(1, 8), "1/8 (12.5 %)"),
        (page_parts.part_of(0, 0), "0/0"),
        (page_parts.code(None), "–"),
        (page_parts.code("a|b"), "`a¦b`"),
        (page_parts.place(WHOLE), "the answer itself"),
        (page_parts.place("a[].b"), "`a[].b`"),
        (page_parts.order_of([1, 2], 2), "worst first"),
        (page_parts.order_of([1, 2, 3], 2, "commonest"), "the 2 commonest of 3"),
        (page_parts.fenced(["ls"]), "```bash\nls\n```"),
        (page_parts.table(("a", "b"), [("1", "2")]), "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ],
)
def test_a_part_is_shown_as_its_reader_expects(shown: str, text: str) -> None:
    assert shown == text


def test_percentiles_that_are_not_known_are_left_out() -> None:
    found = Percentiles(p50=1500.0, p95=None, min=None, max=2000.0)
    assert page_parts.spread(found, 1000, " s", 1) == "p50 1.5 s, max 2.0 s"
    assert page_parts.spread(Percentiles(None, None, None, None)) == "not known"
