"""The page of faults names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_fault_names_a_test_that_exists(project_root: Path) -> None:
    page = (project_root / "docs/faults.md").read_text()
    rows = [
        line
        for line in page.splitlines()
        if line.startswith("| ") and not line.startswith(("| fault", "| ---"))
    ]
    sources = [*project_root.glob("packages/*/tests/**/test_*.py"), *project_root.glob("tests/**/test_*.py")]
    known = {
        name for path in sources for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(rows) > 30
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named, row
        assert named <= known, named - known
