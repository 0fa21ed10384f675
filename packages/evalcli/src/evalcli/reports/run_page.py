"""A run as one HTML page that needs nothing beside it, loads nothing, and runs no script.

It is built as a tree of elements, which the standard library writes out: what a model wrote is text.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from xml.etree import ElementTree as ET

from evalcli.reports.run_words import ExaminedRun, case_text, sample_text
from evalcli.reports.score_tree import LEGEND, branch_text, leaf_text, node_name
from evalcli.terminal.text import shown
from evalcore.reports.style import base_css
from evalcore.scoring.difference import DiffNode
from evalcore.scoring.examine import ExaminedCase, Sample
from evalcore.scoring.explain import LONGEST_SHOWN

STYLE: Final = (
    base_css().decode()
    + """
body { max-width: 70rem } summary { font-weight: 600; padding: .3rem 0 }
ul { list-style: none; padding-left: 1.4rem; margin: 0 } li { overflow-wrap: anywhere }
pre { border-left: 3px solid var(--line); padding-left: .8rem } .dim { color: var(--quiet) }
"""
)
# The page's own style by its hash: nothing that a model wrote could add another one.
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
LONGEST_TEXT: Final = 20_000
"""Characters of a reply that cannot be parsed."""


def run_page(run: ExaminedRun) -> bytes:
    """Write a run as an HTML page."""
    page = ET.Element("html", lang="en")
    head, body = ET.SubElement(page, "head"), ET.SubElement(page, "body")
    ET.SubElement(head, "meta", charset="utf-8")
    # Opened from the disk there is no server to send a header.
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    ET.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    ET.SubElement(head, "title").text = shown(run.title)
    ET.SubElement(head, "style").text = STYLE
    _add(body, "h1", run.title)
    _add(body, "p", run.state)
    for hint, style in ((run.note, "warn"), (run.truncation_hint, "warn"), (run.all_right, "good")):
        if hint:
            _add(body, "p", hint, style)
    for number, case in enumerate(run.cases):
        _add_case(body, case, is_open=number == 0)
    _add(body, "p", LEGEND, "dim")
    written: str = ET.tostring(page, encoding="unicode", method="html")
    return f"<!doctype html>\n{written}\n".encode()


def _add(parent: ET.Element, tag: str, text: str, style: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag, {"class": style} if style else {})
    element.text = shown(text, LONGEST_SHOWN * 3)
    return element


def _add_case(body: ET.Element, case: ExaminedCase, *, is_open: bool) -> None:
    details = ET.SubElement(body, "details", {"open": "open"} if is_open else {})
    _add(details, "summary", f"{case.case}: {case_text(case)}")
    for sample in case.samples:
        _add_sample(details, sample)


def _add_sample(details: ET.Element, sample: Sample) -> None:
    _add(details, "p", sample_text(sample), "strong" if sample.fate == "answered" else "bad")
    if sample.difference is not None and sample.difference.tree is not None:
        tree = sample.difference.tree
        listed = ET.SubElement(details, "ul")
        for node in tree.children or (tree,):
            _add_node(listed, node)
    elif sample.text:
        text = sample.text[:LONGEST_TEXT]
        lines = (shown(part, LONGEST_TEXT) for part in text.splitlines())
        ET.SubElement(details, "pre").text = "\n".join(lines) + ("…" if len(sample.text) > len(text) else "")


def _add_node(listed: ET.Element, node: DiffNode) -> None:
    name = node_name(node, LONGEST_SHOWN)
    if not node.children:
        mark, style, said = leaf_text(node, LONGEST_SHOWN)
        item = _add(listed, "li", f"{mark} {name}: {said}", style)
        if node.rule:
            _add(item, "span", f" [{node.rule}, weight {node.weight:.3g}]", "dim")
        return
    said, style = branch_text(node)
    item = _add(listed, "li", f"{name} ", "")
    _add(item, "span", said, style)
    inner = ET.SubElement(item, "ul")
    for child in node.children:
        _add_node(inner, child)
