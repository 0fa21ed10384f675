"""What reads documents: small enough for the images, and loaded by nobody who reads none."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

READERS = {"mammoth", "markdownify", "pillow", "pypdf"}
MODULES = {"PIL", "bs4", "mammoth", "markdownify", "pypdf"}
MOST_BYTES = 25 * 10**6


def needed_by(package: str, without: set[str]) -> set[str]:
    """The names of all packages that one needs, directly or not, if it did not need some of its own."""
    found: set[str] = set()
    left = {package}
    while left:
        name = left.pop()
        found.add(name)
        for text in distribution(name).requires or ():
            requirement = Requirement(text)
            below = re.sub(r"[-_.]+", "-", requirement.name).lower()
            is_wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if is_wanted and below not in found and not (name == package and below in without):
                left.add(below)
    return found


def size(installed: Distribution) -> int:
    """Its bytes without compiled files, which the images do not have."""
    paths = [Path(str(file.locate())) for file in installed.files or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.exists())


def test_the_readers_libraries_are_at_most_25_mb() -> None:
    added = needed_by("evalcore", set()) - needed_by("evalcore", READERS)
    assert added >= READERS
    assert sum(size(distribution(name)) for name in added) <= MOST_BYTES


@pytest.mark.parametrize(
    "start",
    [
        "import evalhook.main, evalhook.commands.serve, evalhook.app, evalhook.wiring",
        "import evalcore.evaluation.evaluate, evalcore.documents.reading, evalcore.documents.readers",
        "import evalcli.commands.evaluate, evalcli.commands.check",
    ],
)
def test_nothing_loads_them_that_reads_no_document(start: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{start}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not MODULES & {name.partition(".")[0] for name in done.stdout.split()}
