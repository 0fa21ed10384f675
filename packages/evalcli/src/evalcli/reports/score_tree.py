"""An answer beside the expected one as a coloured tree: matched, nearly, wrong, missed, invented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalcli.terminal.text import Line, Span, Style, figure, line
from evalcore.scoring.difference import AnswerDifference, DiffNode
from evalcore.scoring.excerpts import excerpts
from evalcore.scoring.interface import Score
from evalcore.structs import Frozen

LEGEND: Final = "= matched  ~ nearly  x wrong  - missed  + invented  . not counted"


class TreeView(Frozen, frozen=True):
    """How much of a difference is shown."""

    longest: int = 60
    """Characters of a value; `--json` has more."""
    wrong_only: bool = False
    """Whether leaves that are right or do not count are left out."""


def difference_lines(title: str, difference: AnswerDifference) -> Iterator[Line]:
    """Lay an answer's score and its tree out for reading."""
    yield line(Span(title, "strong"))
    yield line(score_text(difference.score))
    yield from tree_lines(difference, TreeView())
    if difference.tree is not None:
        yield line("")
        yield line(Span(LEGEND, "dim"))


def tree_lines(difference: AnswerDifference, view: TreeView) -> Iterator[Line]:
    """Lay the tree of an answer out, without its figures."""
    if difference.lacking:
        yield line(
            Span(f"Required and missing, so the answer scores 0: {', '.join(difference.lacking)}.", "bad")
        )
    if difference.tree is None:
        yield line(
            "The answer is so large that it is not compared: it scores 0."
            if difference.is_too_large
            else "Nothing to compare: neither answer holds a value that counts."
        )
        return
    yield line("")
    # The whole answer's figure stands above.
    for node in difference.tree.children or (difference.tree,):
        yield from _node(node, 0, view)


def is_wrong(node: DiffNode) -> bool:
    """Whether a leaf is not fully right and counts, or a branch holds one that is so."""
    if node.children:
        return any(is_wrong(child) for child in node.children)
    # Nearly right is wrong here: whoever asks for what is wrong wants to see what costs points.
    return node.weight > 0 and not (node.status == "matched" and node.score >= 1)


def score_text(score: Score) -> str:
    """Write an answer's figures."""
    figures = {
        "accuracy": score.accuracy,
        "precision": score.precision,
        "recall": score.recall,
        "prose": score.prose,
        "ANLS*": score.anls_star,
    }
    return ", ".join(f"{name} {figure(value)}" for name, value in figures.items() if value is not None)


def leaf_text(node: DiffNode, longest: int) -> tuple[str, Style, str]:
    """Return a leaf's mark, its style, and what was answered instead of what."""
    expected, answered = excerpts(node.expected, node.answered, longest)
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


def branch_text(node: DiffNode) -> tuple[str, Style]:
    """Say how an object or list as a whole fared."""
    if node.status == "missed":
        return "missed", "bad"
    if node.status == "invented":
        return "invented", "warn"
    return f"{figure(node.score)} of weight {node.weight:.3g}", "dim"


def node_name(node: DiffNode, longest: int) -> str:
    """Name a node of the tree."""
    return excerpts(node.name, "", longest)[0] if node.name != "." else "answer"


def _node(node: DiffNode, depth: int, view: TreeView) -> Iterator[Line]:
    if view.wrong_only and not is_wrong(node):
        return
    indent = "  " * depth
    name = node_name(node, view.longest)
    if not node.children:
        mark, style, said = leaf_text(node, view.longest)
        rule = f"  [{node.rule}, weight {node.weight:.3g}]" if node.rule else ""
        yield line(indent, Span(f"{mark} {name}: {said}", style), Span(rule, "dim"))
        return
    said, style = branch_text(node)
    # Two spaces stand where a leaf has its mark.
    yield line(f"{indent}  ", Span(name, "strong"), "  ", Span(said, style))
    for child in node.children:
        yield from _node(child, depth + 1, view)
