"""How many, in words."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 run`, `2 runs`; `many` where it is not `one` with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
