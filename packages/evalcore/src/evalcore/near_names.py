"""What was probably meant by a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SHORTEST_PART: Final = 3
"""Characters of a name that are enough to find longer names by."""


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """Return "did you mean `x`?" of the known names that are near, at most `most`; "" where none is.

    Near are names that are spelt alike, capitals aside; where there are none, those that hold this one.
    """
    import difflib  # noqa: PLC0415 - few need it, and every command would load it

    folded = {one.casefold(): one for one in known}
    # Comparing takes the square of the length, and a name may be whatever somebody has pasted.
    wanted = name[:200].casefold()
    near = difflib.get_close_matches(wanted, folded, n=most)
    if not near and len(wanted) >= SHORTEST_PART:
        near = sorted(one for one in folded if wanted in one)[:most]
    return f"did you mean {' or '.join(f'`{folded[one]}`' for one in near)}?" if near else ""
