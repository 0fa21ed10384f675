"""An answer beside the expected one as a coloured tree: matched, nearly, wrong, missed, invented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalcli.terminal.text import Line, Span, Style, figure, line
from evalcore.scoring.explain import Difference, DiffNode
from evalcore.scoring.interface import Score

LONGEST_VALUE: Final = 60
"""Characters of a value in the tree; `--json` has more."""
LEGEND: Final = "= matched  ~ nearly  x wrong  - missed  + invented  . not counted"


def difference_lines(title: str, difference: Difference) -> Iterator[Line]:
    """Lay an answer's score and its tree out for reading."""
    yield line(Span(title, "strong"))
    yield line(_figures(difference.score))
    if difference.lacking:
        yield line(
            Span(f"Required and missing, so the answer scores 0: {', '.join(difference.lacking)}.", "bad")
        )
    if difference.tree is None:
        yield line("Nothing to compare: neither holds a value, or the answer is too large.")
        return
    yield line("")
    # The whole answer's figure stands above.
    for node in difference.tree.children or (difference.tree,):
        yield from _node(node, 0)
    yield line("")
    yield line(Span(LEGEND, "dim"))


def _figures(score: Score) -> str:
    figures = {
        "accuracy": score.accuracy,
        "precision": score.precision,
        "recall": score.recall,
        "prose": score.prose,
        "ANLS*": score.anls_star,
    }
    return ", ".join(f"{name} {figure(value)}" for name, value in figures.items() if value is not None)


def _node(node: DiffNode, depth: int) -> Iterator[Line]:
    indent = "  " * depth
    if not node.children:
        yield _leaf(node, indent)
        return
    whole: dict[str, tuple[str, Style]] = {"missed": ("missed", "bad"), "invented": ("invented", "warn")}
    said, style = whole.get(node.status, (f"{figure(node.score)} of weight {node.weight:.3g}", "dim"))
    # Two spaces stand where a leaf has its mark.
    yield line(f"{indent}  ", Span(_name(node), "strong"), "  ", Span(said, style))
    for child in node.children:
        yield from _node(child, depth + 1)


def _leaf(node: DiffNode, indent: str) -> Line:
    mark, style, said = _fate(node)
    rule = f"  [{node.rule}, weight {node.weight:.3g}]" if node.rule else ""
    return line(indent, Span(f"{mark} {_name(node)}: {said}", style), Span(rule, "dim"))


def _fate(node: DiffNode) -> tuple[str, Style, str]:
    expected, answered = _cut(node.expected), _cut(node.answered)
    if node.weight == 0:
        return ".", "dim", answered or expected
    if node.status == "missed":
        return "-", "bad", expected
    if node.status == "invented":
        return "+", "warn", answered
    if node.status == "matched" and node.score >= 1:
        return "=", "good", answered
    instead = f"{answered} instead of {expected}"
    if node.status == "matched":
        return "~", "warn", f"{instead} ({figure(node.score)})"
    return "x", "bad", instead


def _name(node: DiffNode) -> str:
    return _cut(node.name) if node.name != "." else "answer"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
