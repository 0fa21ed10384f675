"""Summaries that were made by hand, before this program wrote them."""

from __future__ import annotations

import copy
import json

import pytest

from evalcore.reports.run_report.check import check_summary
from evalcore.reports.run_report.earlier_summary import EarlierSummary


@pytest.mark.corpus
def test_the_published_ones_are_valid_and_none_is_once_a_count_is_changed(shared_dir):
    found = sorted(shared_dir.glob("library-site/components/*/evals/reports/*/summary.json"))
    assert found
    for file in found:
        assert check_summary(file.read_bytes()).problems == ()
        value = json.loads(file.read_bytes())
        for place, names in {
            "headline": ("n_success", "n_parse_error", "n_replicates_attempted"),
            "validation": ("n_valid",),
        }.items():
            for name in names:
                changed = copy.deepcopy(value)
                changed[place][name] += 1
                assert check_summary(json.dumps(changed).encode()).problems, (place, name)


def test_every_section_may_be_left_out_but_the_name():
    assert EarlierSummary(run_name="x").headline is not None
    problems = check_summary(b'{"headline": {"n_documents": 1, "n_replicates_attempted": 1, "n_success": 1}}')
    assert problems.problems == ("the whole: lacks run_name",)
