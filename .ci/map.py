"""Print the map of each package, drawn from its imports: `make map`, or `.ci/map.py [PACKAGE...]`.

A room is a folder of the package, or a module that stands in no folder. An arrow leads from a room to
another one that it imports; a circle is a set of rooms each of which reaches all others. A room stands on
the lowest floor that is above everything it imports.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("evalcore", "evalhook", "evalcli", "evalsim")
Arrows = Mapping[str, frozenset[str]]
"""Room to the rooms that it imports."""


@dataclass(frozen=True)
class Size:
    """What was counted in some files."""

    lines: int = 0
    """Without blank ones."""
    comments: int = 0
    """Lines that hold a comment, those for the tools aside."""
    inner_imports: int = 0
    """Imports inside functions."""

    def __add__(self, other: Size) -> Size:
        return Size(
            self.lines + other.lines,
            self.comments + other.comments,
            self.inner_imports + other.inner_imports,
        )

    @property
    def comment_rate(self) -> float:
        """Comments per 100 lines."""
        return 100 * self.comments / self.lines if self.lines else 0.0


def size_of(text: str) -> Size:
    """Count one file of Python."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {
        token.start[0] for token in tokens if token.type == tokenize.COMMENT and _says_why(token.string)
    }
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    inner = {node for f in functions for node in ast.walk(f) if isinstance(node, ast.Import | ast.ImportFrom)}
    lines = sum(bool(line.strip()) for line in text.splitlines())
    return Size(lines=lines, comments=len(comments), inner_imports=len(inner))


def _says_why(comment: str) -> bool:
    text = comment.lstrip("# ")
    if text.startswith(("noqa", "type: ignore")):
        return " - " in text or "#" in text  # a reason stands behind it
    return bool(text) and not text.startswith("!")


def room_of(parts: Iterable[str]) -> str:
    """Return the room of a path or dotted name below its package."""
    return next(iter(parts)).removesuffix(".py")


def sizes(folder: Path) -> dict[str, Size]:
    """Count every file below a folder, room by room."""
    found: dict[str, Size] = {}
    for path in sorted(folder.rglob("*.py")):
        room = room_of(path.relative_to(folder).parts)
        found[room] = found.get(room, Size()) + size_of(path.read_text("utf-8"))
    return found


def draw(package: str) -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    """Return a package's arrows, and how many imports lead to each of our other packages."""
    graph = grimp.build_graph(package, include_external_packages=True, cache_dir=None)
    arrows: dict[str, set[str]] = {}
    outward: dict[str, int] = {}
    for module in sorted(graph.modules):
        top, *below = module.split(".")
        if top != package or not below:
            continue
        room = room_of(below)
        arrows.setdefault(room, set())
        for imported in graph.find_modules_directly_imported_by(module):
            other, *inside = imported.split(".")
            if other != package and other in PACKAGES:
                outward[other] = outward.get(other, 0) + 1
            elif other == package and inside and room_of(inside) != room:
                arrows[room].add(room_of(inside))
    return {room: frozenset(to) for room, to in arrows.items()}, outward


def reached(arrows: Arrows, start: str) -> frozenset[str]:
    """Return every room that a room's arrows lead to, over others too."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for room in arrows[waiting.pop()] - seen:
            seen.add(room)
            waiting.append(room)
    return frozenset(seen)


def circles(arrows: Arrows) -> list[tuple[str, ...]]:
    """Return the circles, each as its rooms by name."""
    reach = {room: reached(arrows, room) for room in arrows}
    found = {tuple(sorted(b for b in reach[a] if a in reach[b])) for a in arrows if a in reach[a]}
    return sorted(found)


def floors(arrows: Arrows) -> dict[str, int]:
    """Return each room's floor, from 0; the rooms of a circle share theirs."""
    reach = {room: reached(arrows, room) for room in arrows}
    found: dict[str, int] = {}
    # Whatever a room reaches outside its circle reaches fewer rooms than it does itself.
    for room in sorted(arrows, key=lambda name: (len(reach[name] | {name}), name)):
        circle = {other for other in reach[room] if room in reach[other]} | {room}
        below = {found[other] for member in circle for other in arrows[member] - circle}
        found[room] = 1 + max(below, default=-1)
    return found


def report(package: str) -> Iterator[str]:
    """Yield the lines that are printed of a package."""
    arrows, outward = draw(package)
    home = ROOT / "packages" / package
    source, tests = sizes(home / "src" / package), sizes(home / "tests")
    whole, tested = sum(source.values(), Size()), sum(tests.values(), Size())
    level, found = floors(arrows), circles(arrows)
    yield (
        f"{package}: {len(arrows)} rooms on {1 + max(level.values(), default=0)} floors, "
        f"{sum(map(len, arrows.values()))} arrows, {len(found) or 'no'} circle{'s' if len(found) > 1 else ''}"
    )
    yield (
        f"  {whole.lines} lines of source, {tested.lines} of test; {whole.comment_rate:.1f} comments per 100 "
        f"lines; {whole.inner_imports} imports inside functions"
    )
    for other, count in sorted(outward.items()):
        yield f"  {count} imports of {other}"
    for circle in found:
        yield f"  circle: {' <-> '.join(circle)}"
    yield f"  {'floor':>5} {'lines':>6} {'tests':>6} {'#/100':>6}  room"
    for room in sorted(arrows, key=lambda name: (-level[name], name)):
        size = source.get(room, Size())
        test = tests.get(room, Size()) + tests.get(f"test_{room}", Size())
        to = f" -> {', '.join(sorted(arrows[room]))}" if arrows[room] else ""
        yield f"  {level[room]:>5} {size.lines:>6} {test.lines:>6} {size.comment_rate:>6.1f}  {room}{to}"


def main(packages: list[str]) -> int:
    """Print the maps; exit code 1 where any has a circle, 2 for a package that is none of ours."""
    unknown = [name for name in packages if name not in PACKAGES]
    if unknown:
        print(f"map: no package {', '.join(unknown)}; there are {', '.join(PACKAGES)}", file=sys.stderr)
        return 2
    has_circle = False
    for package in packages or PACKAGES:
        print("\n".join(report(package)), end="\n\n")
        has_circle = has_circle or bool(circles(draw(package)[0]))
    return int(has_circle)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
