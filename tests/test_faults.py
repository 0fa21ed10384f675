"""The pages of faults and of attacks name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("page", "heading", "fewest"), [("faults.md", "# ", 30), ("security.md", "## What was attacked", 25)]
)
def test_every_row_names_a_test_that_exists(project_root: Path, page: str, heading: str, fewest: int) -> None:
    _, _, text = (project_root / "docs" / page).read_text().partition(heading)
    rows = [
        line
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith(("| fault", "| attack", "| ---"))
    ]
    sources = [*project_root.glob("packages/*/tests/**/test_*.py"), *project_root.glob("tests/**/test_*.py")]
    known = {
        name for path in sources for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(rows) > fewest
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named, row
        assert named <= known, named - known
