"""What git leaves in a file whose two sides it could not merge: markers, and both sides between them."""

from __future__ import annotations

import re
from typing import Final

# git writes seven of them: a longer line, as under a heading, is text.
_MARKER: Final = re.compile(rb"^(<{7}|\|{7}|={7}|>{7})( .*)?\r?$")


def holds_conflict(data: bytes) -> bool:
    """Whether a file begins and ends a conflict somewhere."""
    kinds = [marker[1][:1] for line in data.split(b"\n") if (marker := _MARKER.match(line))]
    return b"<" in kinds and b">" in kinds


def conflict_sides(data: bytes) -> tuple[bytes, bytes]:
    """Return a file as it was on either side, every conflict resolved for that side.

    The common ancestor that git writes in the style `diff3` is passed over.
    """
    ours: list[bytes] = []
    theirs: list[bytes] = []
    side = b">"  # outside a conflict, as after its end
    for line in data.split(b"\n"):
        marker = _MARKER.match(line)
        if marker is not None:
            side = marker[1][:1]
            continue
        if side in b"<>":
            ours.append(line)
        if side in b"=>":
            theirs.append(line)
    return b"\n".join(ours), b"\n".join(theirs)
