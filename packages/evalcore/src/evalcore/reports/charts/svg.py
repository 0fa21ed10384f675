"""Elements of SVG: text that is safe to show, coordinates, shapes, and the frame of a chart.

Every colour is written twice: as a presentation attribute, which holds where a chart stands alone (in a
report, in an image program), and as a class `ink-NAME`, by which a page's stylesheet colours it for light,
dark and print. Style attributes are used nowhere, since a strict Content-Security-Policy refuses them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Literal
from xml.etree import ElementTree as ET

FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
SIZE: Final = 12.0
"""Of the text of a chart, in pixels, as are all coordinates."""
MAX_LABEL: Final = 200
"""Characters of a text that a chart holds; a longer one is cut."""

Ink = Literal[
    "ground", "text", "quiet", "grid", "accent", "good", "bad", "wait",
    "series-0", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6", "series-7",
]  # fmt: skip
INKS: Final[dict[Ink, str]] = {
    "ground": "#ffffff",
    "text": "#1b1f27",
    "quiet": "#5a6272",
    "grid": "#dcdfe5",
    "accent": "#2456c9",
    "good": "#176b3a",
    "bad": "#a4262c",
    "wait": "#7a4d00",
    # Okabe and Ito's colours, which are told apart without full colour vision, darkened to a contrast of at
    # least 3 to 1 on white.
    "series-0": "#0072b2",
    "series-1": "#c04f00",
    "series-2": "#00805f",
    "series-3": "#a8558a",
    "series-4": "#8a6d00",
    "series-5": "#2b7fa8",
    "series-6": "#5a6272",
    "series-7": "#1b1f27",
}
Anchor = Literal["start", "middle", "end"]
Shape = Literal["circle", "square", "triangle", "diamond", "triangle-down", "plus", "cross", "ring"]
SHAPES: Final[tuple[Shape, ...]] = (
    "circle", "square", "triangle", "diamond", "triangle-down", "plus", "cross", "ring",
)  # fmt: skip


def chart(title: str, description: str, width: float, height: float, parts: Iterable[ET.Element]) -> str:
    """Write a chart as one line of SVG text.

    `title` is what a screen reader calls it, and `description` says what it shows in words. Where one of the
    parts is a link the chart is a group to a screen reader, and otherwise one image.
    """
    body = list(parts)
    has_links = any(True for part in body for _ in part.iter("a"))
    root = element(
        "svg",
        {
            # As an attribute: given a namespace ElementTree would write a prefix before every name.
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "chart",
            # An image hides what is in it from a screen reader, links included.
            "role": "group" if has_links else "img",
            "width": number(width),
            "height": number(height),
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "font-family": FONT,
            "font-size": number(SIZE),
        },
        [
            element("title", {}, text=title),
            element("desc", {}, text=description),
            inked("ground", [element("rect", {"width": "100%", "height": "100%", "fill": "currentColor"})]),
            *body,
        ],
    )
    return ET.tostring(root, encoding="unicode")


def element(
    tag: str, attributes: dict[str, str], children: Iterable[ET.Element] = (), *, text: str | None = None
) -> ET.Element:
    """Make an element; text and attributes are cut to what may be shown, and escaped when written."""
    made = ET.Element(tag, {name: plain(value) for name, value in attributes.items()})
    made.text = None if text is None else plain(text)
    made.extend(children)
    return made


def inked(ink: Ink, children: Iterable[ET.Element], attributes: dict[str, str] | None = None) -> ET.Element:
    """Group elements that are drawn in `currentColor`."""
    return element("g", {"class": f"ink-{ink}", "color": INKS[ink], **(attributes or {})}, children)


def label(x: float, y: float, text: str, *, anchor: Anchor = "start", ink: Ink = "text") -> ET.Element:
    """Write a text whose base line is at `y`."""
    attributes = {"x": number(x), "y": number(y), "class": f"ink-{ink}", "color": INKS[ink]}
    if anchor != "start":
        attributes["text-anchor"] = anchor
    return element("text", attributes | {"fill": "currentColor"}, text=text)


def labels(
    texts: Iterable[tuple[float, float, str]], *, anchor: Anchor = "start", ink: Ink = "text"
) -> ET.Element:
    """Write texts of one colour, each with the place of its base line."""
    written = [element("text", {"x": number(x), "y": number(y)}, text=text) for x, y, text in texts]
    return inked(
        ink, written, {"fill": "currentColor"} | ({} if anchor == "start" else {"text-anchor": anchor})
    )


def rules(lines: Iterable[tuple[float, float, float, float]]) -> ET.Element:
    """Draw straight lines as one element in the colour of its group."""
    ends = [tuple(map(number, line)) for line in lines]
    path_of = "".join(f"M{x1} {y1}L{x2} {y2}" for x1, y1, x2, y2 in ends)
    return element("path", {"d": path_of, "stroke": "currentColor"})


def rule(x1: float, y1: float, x2: float, y2: float, *, width: float = 1, dashes: str = "") -> ET.Element:
    """Draw a straight line in the colour of its group."""
    attributes = {
        "x1": number(x1),
        "y1": number(y1),
        "x2": number(x2),
        "y2": number(y2),
        "stroke": "currentColor",
    }
    if width != 1:
        attributes["stroke-width"] = number(width)
    if dashes:
        attributes["stroke-dasharray"] = dashes
    return element("line", attributes)


def rectangle(x: float, y: float, width: float, height: float, *, opacity: float = 1) -> ET.Element:
    """Fill a rectangle in the colour of its group."""
    attributes = {"x": number(x), "y": number(y), "width": number(width), "height": number(height)}
    attributes["fill"] = "currentColor"
    if opacity != 1:
        attributes["opacity"] = number(opacity)
    return element("rect", attributes)


def path(points: Sequence[tuple[float, float]], *, width: float = 1.5) -> ET.Element:
    """Draw a line through points in the colour of its group."""
    return element(
        "polyline",
        {
            "points": " ".join(f"{number(x)},{number(y)}" for x, y in points),
            "fill": "none",
            "stroke": "currentColor",
            "stroke-width": number(width),
        },
    )


def mark(x: float, y: float, shape: Shape = "circle", *, size: float = 4, tip: str = "") -> ET.Element:
    """Draw a mark around a point in the colour of its group; `tip` is shown where it is pointed at."""
    children = [element("title", {}, text=tip)] if tip else []
    if shape in {"circle", "ring"}:
        attributes = {"cx": number(x), "cy": number(y), "r": number(size)}
        return element("circle", attributes | _PAINT["ring" if shape == "ring" else "fill"], children)
    attributes = {
        "d": "".join(f"{c}{number(x + dx * size)} {number(y + dy * size)}" for c, dx, dy in _PATHS[shape])
    }
    if shape in {"plus", "cross"}:
        return element("path", attributes | _PAINT["ring"], children)
    attributes["d"] += "Z"
    return element("path", attributes | _PAINT["fill"], children)


def link(address: str, children: Iterable[ET.Element], *, name: str = "") -> ET.Element:
    """Make elements a link, only ever to the web or beside the page.

    A screen reader calls it by `name`, or without one by the text that it holds.

    An address of another kind, such as `javascript:`, leaves the elements as they are.
    """
    if not is_safe_address(address):
        return element("g", {}, children)
    return element("a", {"href": address} | ({"aria-label": name} if name else {}), children)


def is_safe_address(address: str) -> bool:
    """Say whether an address is one of the web, or a relative one, so that opening it runs nothing."""
    return is_web_address(address) or ":" not in address.split("/", maxsplit=1)[0]


def is_web_address(address: str) -> bool:
    """Say whether an address is one of the web."""
    return address.startswith(("https://", "http://"))


def number(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    # -0.001 is 0, and must be the same bytes.
    return "0" if written == "-0" else written


def plain(text: str, limit: int = MAX_LABEL * 5) -> str:
    """Cut a text, and blank what XML cannot hold, what is invisible and what turns its direction."""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    if cut.isascii() and cut.isprintable():
        return cut
    # A text that turns its direction could show another model's name than it holds.
    return "".join(" " if unicodedata.category(one) in _BLANKED else one for one in cut)


def shortened(text: str, width: float, size: float = SIZE) -> str:
    """Cut a text in its middle, so that it is at most `width` pixels wide: names differ at their ends."""
    text = plain(text, MAX_LABEL)
    # Room that was made for just this text may be a rounding narrower.
    if text_width(text, size) <= width + 0.01:
        return text
    kept = len(text) - 1
    while kept > 1 and text_width(_middle_cut(text, kept), size) > width:
        kept -= 1
    return _middle_cut(text, kept)


def text_width(text: str, size: float = SIZE) -> float:
    """Estimate how wide a text is in a common sans-serif, rather too wide than too narrow."""
    return size * sum(_advance(character) for character in text)


def _middle_cut(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    return f"{text[:head]}…{text[len(text) - (kept - head) :]}" if kept > 1 else "…"


def _advance(character: str) -> float:
    """Return a character's width in ems."""
    if character.isascii():
        return _ADVANCES.get(character, 1.0)
    return 1.05 if unicodedata.east_asian_width(character) in {"W", "F", "A"} else 0.7


# Of DejaVu Sans in hundredths of an em, from the blank to the tilde: no common sans-serif is wider.
_WIDTHS: Final = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79,
    69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28,
    58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip
_ADVANCES: Final = {chr(32 + index): width / 100 for index, width in enumerate(_WIDTHS)}
_BLANKED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PAINT: Final[dict[str, dict[str, str]]] = {
    "fill": {"fill": "currentColor"},
    "ring": {"fill": "none", "stroke": "currentColor", "stroke-width": "1.8"},
}
_PATHS: Final[dict[Shape, tuple[tuple[str, float, float], ...]]] = {
    "square": (("M", -0.9, -0.9), ("L", 0.9, -0.9), ("L", 0.9, 0.9), ("L", -0.9, 0.9)),
    "triangle": (("M", 0, -1.15), ("L", 1.1, 0.85), ("L", -1.1, 0.85)),
    "triangle-down": (("M", 0, 1.15), ("L", 1.1, -0.85), ("L", -1.1, -0.85)),
    "diamond": (("M", 0, -1.25), ("L", 1.25, 0), ("L", 0, 1.25), ("L", -1.25, 0)),
    "plus": (("M", -1.1, 0), ("L", 1.1, 0), ("M", 0, -1.1), ("L", 0, 1.1)),
    "cross": (("M", -0.9, -0.9), ("L", 0.9, 0.9), ("M", 0.9, -0.9), ("L", -0.9, 0.9)),
}
