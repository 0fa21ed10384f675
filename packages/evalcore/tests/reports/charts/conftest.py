"""A chart as its reader has it: its texts and tips in order, and where its marks lie."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

SVG = "{http://www.w3.org/2000/svg}"


class Drawing:
    """A chart that was drawn, read back."""

    def __init__(self, chart: str) -> None:
        self.root = ET.fromstring(chart)

    def all(self, tag: str) -> list[ET.Element]:
        """Its elements of a kind, in the order in which they are drawn."""
        return list(self.root.iter(f"{SVG}{tag}"))

    @property
    def boxes(self) -> list[ET.Element]:
        """Its rectangles; the first one is the ground."""
        return self.all("rect")[1:]

    @property
    def upright(self) -> list[ET.Element]:
        """Its texts but for those of a turned group, each with its anchor."""
        turned = {text for group in self.all("g") if "transform" in group.attrib for text in group.iter()}
        found = []
        for parent in self.root.iter():
            for text in parent.findall(f"{SVG}text"):
                if text not in turned:
                    text.attrib.setdefault("text-anchor", parent.get("text-anchor", "start"))
                    found.append(text)
        return found

    @property
    def texts(self) -> list[str]:
        return [one.text or "" for one in self.all("text")]

    @property
    def tips(self) -> list[str]:
        """What is shown where it is pointed at; the first title is the chart's own."""
        return [one.text or "" for one in self.all("title")][1:]

    def at(self, text: str) -> tuple[float, float]:
        """Where a text stands."""
        (found,) = (one for one in self.all("text") if one.text == text)
        return float(found.attrib["x"]), float(found.attrib["y"])

    def tipped(self, tip: str) -> ET.Element:
        """The mark that has a tip."""
        (found,) = (one for one in self.root.iter() if one.findtext(f"{SVG}title") == tip)
        return found

    def links(self) -> list[str]:
        return [one.attrib["href"] for one in self.all("a")]


# Once for all tests: Hypothesis refuses a fixture that is made anew for each of them.
@pytest.fixture(scope="session")
def read_chart() -> Callable[[str], Drawing]:
    return Drawing
