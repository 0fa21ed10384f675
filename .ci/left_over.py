"""What the container tests of this copy have left on the machine: said, removed, and a failure.

The end of `make test-containers`. While another run of this copy is under way, what is there is that one's,
and nothing is looked at.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.containers.engine import is_there, remove_left
from tests.containers.images import alone, mark_of

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Look, say and remove; 1 where something was left."""
    if not is_there():
        print("no Docker engine answers: nothing can have been left on one")
        return 0
    with alone(ROOT) as is_alone:
        if not is_alone:
            print("another run of this copy is under way: what it has made is not looked at")
            return 0
        left = remove_left(mark_of(ROOT))
    for kind, name in left:
        print(f"left behind, and removed now: {kind} {name}")
    if not left:
        print("nothing was left behind")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
