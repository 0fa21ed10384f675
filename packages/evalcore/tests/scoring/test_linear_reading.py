"""Reading a reply takes linear time: every hostile shape is doubled from 1 to 16 MiB."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from evalcore.scoring.answers import parse_answer

MIB = 1024 * 1024
FACTOR = 3.2
"""Of the time that twice the size takes: memory is slower than caches, and the clock is coarse."""
UNMEASURABLE_S = 0.06

Shape = Callable[[int], str]
SHAPES: dict[str, Shape] = {
    "a fence, blanks, a backtick": lambda size: "```" + " " * size + "`",
    "a fence of backticks and one more line": lambda size: "`" * size + "\n`",
    "a fence of tildes, blanks, a backtick": lambda size: "~" * (size // 2) + " " * (size // 2) + "`",
    "blanks and a fence": lambda size: " " * size + "```x`",
    "lines of fences": lambda size: "```\n" * (size // 4),
    "fences that hold a brace": lambda size: "```{\n" * (size // 5),
    "blanks": lambda size: "a" + " " * size + "b",
    "lines of blanks": lambda size: "a" + "  \n" * (size // 3),
    "braces": lambda size: "{" * size,
    "brackets, closed": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "open braces with blanks": lambda size: ("{" + " " * 9) * (size // 10),
    "a brace and blanks": lambda size: "x {" + " " * size + "x",
    "objects amid prose": lambda size: 'so {"a": 1} ' * (size // 12),
    "open strings": lambda size: '{"' * (size // 2),
    "escaped quotation marks": lambda size: 'x {"' + '\\"' * (size // 2),
    "backslashes": lambda size: 'x {"' + "\\" * size,
    "thinking, never closed": lambda size: "<think>\n" * (size // 8),
    "thinking, closed": lambda size: "<think></think>\n" * (size // 16),
    "closing tags": lambda size: "</think>" * (size // 8),
    "closing tags and blanks": lambda size: ("</think>" + " " * 56 + "x") * (size // 65),
    "a closing tag and blanks": lambda size: "</think>" + " \n" * (size // 2) + "x",
    "channels": lambda size: "<|channel|>" * (size // 11),
    "a channel and blanks": lambda size: "<|channel|>" + " " * size + "fina",
    "channels of analysis": lambda size: "analysis" + "assistantfinal" * (size // 14) + "a",
    "special tokens": lambda size: "<|end|>" * (size // 7),
    "digits": lambda size: "[" + "9" * size + "]",
    "commas": lambda size: "[" + "1," * (size // 2) + "]",
    "letters": lambda size: "a" * size,
    "a heading without end": lambda size: "#" * size,
    "bars": lambda size: "| a " * (size // 4),
    "stars": lambda size: "*a" * (size // 2),
    "links": lambda size: "[a](" * (size // 4),
    "line ends": lambda size: "\n" * size + "x",
}


def seconds(text: str, output: str) -> float:
    began = time.process_time()
    parse_answer(text, output)  # type: ignore[arg-type]
    return time.process_time() - began


@pytest.mark.parametrize("output", ["json", "markdown"])
@pytest.mark.parametrize("name", SHAPES)
def test_twice_the_text_takes_twice_the_time(name: str, output: str) -> None:
    size, before = MIB, seconds(SHAPES[name](MIB), output)
    while size < 16 * MIB:
        size *= 2
        taken = seconds(SHAPES[name](size), output)
        # Once more where it was something else that took the time.
        if taken > UNMEASURABLE_S and taken > FACTOR * before:
            taken = min(taken, seconds(SHAPES[name](size), output))
        assert taken <= max(UNMEASURABLE_S, FACTOR * before), f"{size // MIB} MiB take {taken:.2f} s"
        before = max(taken, UNMEASURABLE_S / 2)


@pytest.mark.parametrize("name", SHAPES)
def test_the_largest_document_that_is_read_as_one_takes_a_moment(name: str) -> None:
    """Longer ones are one paragraph as they stand."""
    assert seconds(SHAPES[name](99_000), "markdown") < 5
