"""No regular expression of ours takes more than linear time, whatever it is given.

Every pattern is listed from the source and tried on inputs made from itself: long runs of each character that
it knows, before and after what it begins with, and then something that does not fit. What takes time by the
square, or worse, shows at 32,000 characters at the latest. Time is the process's own, not the clock's.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PACKAGES = Path(__file__).parent.parent / "packages"
METHODS = {"compile", "sub", "match", "search", "findall", "fullmatch", "split", "finditer", "subn"}
SIZES = (24, 40, 32_000)
"""The small ones come first, so that a pattern that takes exponential time is found before it never ends."""
MOST_SECONDS = 0.15
"""For one input: a linear pattern takes a few milliseconds, a quadratic one over a second."""
ODD = "\0"
"""What no pattern of ours has in a class by itself."""

_parser: Any = importlib.import_module("re._parser")


def written() -> Iterator[tuple[str, re.Pattern[str]]]:
    """The patterns that stand in calls of `re`, with the file and line."""
    for path in sorted(PACKAGES.glob("*/src/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            owner, pattern = node.func.value, node.args[0]
            is_re = isinstance(owner, ast.Name) and owner.id == "re" and node.func.attr in METHODS
            if is_re and isinstance(pattern, ast.Constant) and isinstance(pattern.value, str):
                flags = re.NOFLAG
                for part in ast.walk(node):
                    if isinstance(part, ast.Attribute) and isinstance(
                        getattr(re, part.attr, None), re.RegexFlag
                    ):
                        flags |= getattr(re, part.attr)
                where = path.relative_to(PACKAGES)
                yield f"{where}:{node.lineno} {pattern.value}", re.compile(pattern.value, flags)


def built() -> Iterator[tuple[str, re.Pattern[str]]]:
    """The patterns that modules hold, those that are put together when they are loaded among them."""
    for path in sorted(PACKAGES.glob("*/src/**/*.py")):
        parts = (
            path.relative_to(path.parents[len(path.parents) - 1 - path.parts.index("src")])
            .with_suffix("")
            .parts
        )
        name = ".".join(parts).removesuffix(".__init__")
        if name.endswith("__main__"):
            continue
        module = importlib.import_module(name)
        for held, value in sorted(vars(module).items()):
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{name}.{held}", value


def all_patterns() -> dict[tuple[str, int], tuple[str, re.Pattern[str]]]:
    found = [*written(), *built()]
    return {(pattern.pattern, pattern.flags): (where, pattern) for where, pattern in reversed(found)}


CATEGORIES = {"CATEGORY_SPACE": " ", "CATEGORY_DIGIT": "0", "CATEGORY_WORD": "w"}
"""A character of each; `-` is of none of them."""


def characters(parsed: Any) -> Iterator[str]:
    """One character for each literal and class of a pattern."""
    for operation, argument in parsed:
        match str(operation):
            case "LITERAL":
                yield chr(argument)
            case "RANGE":
                yield chr(argument[0])
            case "CATEGORY":
                yield CATEGORIES.get(str(argument), "-")
            case "ANY" | "NOT_LITERAL" | "NEGATE":
                yield from ("x", " ")
            case _:
                yield from nested([argument] if isinstance(argument, _parser.SubPattern) else argument)


def nested(part: Any) -> Iterator[str]:
    """The characters of what an operation is about: of a class, or of the patterns within."""
    is_class = isinstance(part, list) and part and isinstance(part[0], tuple)
    if is_class or isinstance(part, _parser.SubPattern):
        yield from characters(part)
    elif isinstance(part, tuple | list):
        for each in part:
            yield from nested(each)


def literal_text(parsed: Any) -> str:
    """What a pattern may begin with: its literals in their order, each repetition at its fewest."""
    text = ""
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            text += chr(argument)
        elif name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            text += literal_text(argument[2]) * max(1, min(argument[0], 5))
        elif name == "SUBPATTERN":
            text += literal_text(argument[3])
        elif name == "BRANCH":
            text += literal_text(argument[1][0])
        elif name == "IN":
            text += next(characters(argument), "")
    return text


def hostile(pattern: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """What is put before a run, the run's unit, and what is put after it."""
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    known = list(dict.fromkeys(characters(parsed)))[:12]
    begins = literal_text(parsed)
    befores = dict.fromkeys(("", begins, begins[:1], begins[: len(begins) // 2], begins[:-1]))
    afters = dict.fromkeys((ODD, "\n", *known, f"{known[0] if known else ''}{ODD}"))
    for unit in known:
        yield from ((before, unit, after) for before in befores for after in afters)
    for unit in dict.fromkeys((begins, *(f"{one}{two}" for one in known[:4] for two in known[:4]))):
        if len(unit) > 1:
            yield from ((before, unit, after) for before in ("", begins) for after in (ODD, "\n"))


PATTERNS = all_patterns()
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted(PACKAGES.glob("*/src/**/*.py")))


def place(key: tuple[str, int]) -> str:
    """Where a pattern stands."""
    return PATTERNS[key][0].split(" ")[0]


def is_anchored(where: str) -> bool:
    """Whether a pattern is only ever tried at the beginning of a text, never at each place of it."""
    held = re.search(r"\.(\w+)$", where.partition(" ")[0])
    names = {held[1]} if held else set()
    if not held:
        path, _, line = where.partition(" ")[0].rpartition(":")
        text = (PACKAGES / path).read_text("utf-8").splitlines()[int(line) - 1]
        if (direct := re.search(r"re\.(match|fullmatch)\(", text)) is not None:
            return direct[1] in {"match", "fullmatch"}
        names = {found[1] for found in [re.match(r"(\w+)(?:: [^=]+)? = re\.compile", text)] if found}
    methods = {method for name in names for method in re.findall(rf"\b{name}\.(\w+)\b", SOURCE)}
    return bool(methods) and methods <= {"match", "fullmatch"}


def test_all_of_them_are_found() -> None:
    assert len(PATTERNS) > 60
    assert any(
        where.startswith("evalcore.scoring.answers") or "answers.py" in where
        for where, _ in PATTERNS.values()
    )


def slowest(pattern: re.Pattern[str], *, anchored: bool = False) -> tuple[float, str]:
    worst = (0.0, "")
    for before, unit, after in hostile(pattern):
        for size in SIZES:
            text = before + unit * (size // len(unit)) + after
            began = time.process_time()
            if anchored:
                pattern.match(text)
            else:
                for _ in pattern.finditer(text):
                    pass
            pattern.fullmatch(text)
            taken = time.process_time() - began
            worst = max(worst, (taken, f"{before!r} + {unit!r} x {size // len(unit)} + {after!r}"))
            if taken > MOST_SECONDS:
                return worst
    return worst


# By where it stands: a pattern that is joined from a set is written in another order by each process.
@pytest.mark.parametrize("key", sorted(PATTERNS, key=place), ids=place)
def test_a_pattern_takes_linear_time(key: tuple[str, int]) -> None:
    where, pattern = PATTERNS[key]
    taken, shape = slowest(pattern, anchored=is_anchored(where))
    assert taken <= MOST_SECONDS, f"{where} takes {taken:.2f} s for {shape}"


@pytest.mark.parametrize("bad", [r"^[ \t]*(`{3,})[ \t]*([^\n`]*)$", r" {2,}\n", r"(a|a)*b", r"(a*)*$"])
def test_the_check_finds_what_does_not(bad: str) -> None:
    assert slowest(re.compile(bad, re.MULTILINE))[0] > MOST_SECONDS


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    for where, pattern in sorted(PATTERNS.values(), key=lambda item: item[0]):
        taken, shape = slowest(pattern, anchored=is_anchored(where))
        sys.stdout.write(
            f"{taken * 1000:8.1f} ms  {where}\n"
            + (f"          {shape[:150]}\n" if taken > MOST_SECONDS else "")
        )
