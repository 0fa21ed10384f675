"""What others read names no folder of the machine, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.secret import Scrubber, Secret
from evalhook.outward import Outward

outward = Outward(
    Scrubber([Secret("correct-horse")]),
    [
        (Path("/srv/state"), "the state directory"),
        (Path("/srv/state/lib"), "the clone of the prompt library"),
    ],
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/state/lib: it is dirty", "the clone of the prompt library: it is dirty"),
        ("delete /srv/state/lib/.git/index.lock", "delete the clone of the prompt library/.git/index.lock"),
        ("'/srv/state' is full", "'the state directory' is full"),
        ("correct-horse in /srv/state/jobs", "[secret] in the state directory/jobs"),
        ("/srv/state/library, /srv/state-2", "the state directory/library, /srv/state-2"),
        ("https://example.org/srv/state/lib", "https://example.org/srv/state/lib"),
        ("components/memo: has no version", "components/memo: has no version"),
    ],
)
def test_a_folder_is_called_by_what_it_is(text: str, shown: str) -> None:
    assert outward(text) == shown


def test_a_folder_behind_a_link_has_two_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    shown = Outward(str, [(tmp_path / "link", "the clone")])
    assert shown(f"{tmp_path}/link: no") == shown(f"{tmp_path}/real: no") == "the clone: no"
