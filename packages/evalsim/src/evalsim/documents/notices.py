"""Award notices that no sponsor wrote: what stands on the pages of made documents, and what it says."""

from __future__ import annotations

from typing import Final

from evalcore.structs import Frozen, JsonObject

SPONSORS: Final = ("Basin Foundation", "Office of Rivers", "Northern Trust for Science", "Pilot Farms Board")
PEOPLE: Final = ("Ada Brook", "Ben Carver", "Cleo Dunn", "Dan Everett", "Eva Flint")
_TERMS: Final = (
    "The recipient keeps records of all expenditures for three years after the final report.",
    "Changes of the principal investigator need the sponsor's written approval before they take effect.",
    "Unspent funds are returned within sixty days of the end of the period of performance.",
    "Travel outside the country is allowed where the approved budget names it.",
    "Progress is reported each year, thirty days before the anniversary of the award.",
    "Equipment above five thousand dollars is listed in the annual inventory.",
)


class Notice(Frozen, frozen=True):
    """One award notice."""

    number: int

    @property
    def expected(self) -> JsonObject:
        """What an answer is to say of it."""
        return {
            "award_number": f"AW-{2000 + self.number}",
            "sponsor": SPONSORS[self.number % len(SPONSORS)],
            "principal_investigator": PEOPLE[self.number % len(PEOPLE)],
            "amount": 50_000 + 1_250 * self.number,
            "report_due": f"2027-{self.number % 12 + 1:02}-{self.number % 28 + 1:02}",
        }

    def page(self, number: int = 1, *, of: int = 1) -> str:
        """The Markdown of one page; the first has the figures."""
        says = self.expected
        terms = [_TERMS[(self.number + number + at) % len(_TERMS)] for at in range(5)]
        if number > 1:
            return "\n\n".join([f"## Terms and conditions, page {number} of {of}", *terms])
        facts = [
            f"Award number: {says['award_number']}",
            f"Sponsor: {says['sponsor']}",
            f"Principal investigator: {says['principal_investigator']}",
            f"Amount: {says['amount']} US dollars",
            f"Final report due: {says['report_due']}",
        ]
        return "\n\n".join(["# Notice of award", *facts, *terms])

    def pages(self, count: int) -> tuple[str, ...]:
        """The Markdown of a notice of so many pages."""
        return tuple(self.page(number, of=count) for number in range(1, count + 1))

    def table(self) -> str:
        """A page whose figures stand in a table."""
        says = self.expected
        rows = [f"| {name.replace('_', ' ')} | {value} |" for name, value in says.items()]
        return "\n".join(["# Notice of award", "", "| field | value |", "| --- | --- |", *rows])


def plain(markdown: str) -> str:
    """The words of a page without its marks."""
    lines = [line for line in markdown.splitlines() if not line or set(line) - set("|- ")]
    return "\n".join("  ".join(_cells(line)) if line[:1] == "|" else line.lstrip("# ") for line in lines)


def rows_of(markdown: str) -> list[list[str]]:
    """The cells of a page's table, its heading first."""
    return [_cells(line) for line in markdown.splitlines() if line[:1] == "|" and "---" not in line]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
