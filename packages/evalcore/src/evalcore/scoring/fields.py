"""How right each field of an answer is: path -> mean over the leaves at that path.

The paths are the expected answer's: of its leaves and its empty containers, written
`document_requirements[].page_limit` (`[].page_limit` where the answer is a list, `.` where it is one
scalar). A model's invented names never become paths. At each path counts, once per occurrence:

- a leaf that was compared: its similarity;
- an expected leaf whose list element found no partner, or that met something of another kind: 0;
- an invented leaf (an extra list element's, an unexpected key's): 0, at its own path if the expected
  answer has that path, else at the nearest enclosing one it has (the items invented in a list that should
  be empty count at the list), else nowhere: the score has counted it, and no expected field was harmed;
- an expected empty container: 1 if it was met by an empty one of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evalcore.scoring.assignment import UNIT
from evalcore.scoring.nodes import NULL, DictNode, ListNode, Node
from evalcore.scoring.tree import TreeComparison

ROOT = "."


def paths_of(node: Node, path: str = "") -> Iterator[str]:
    """Yield the path of every leaf and of every empty container, repeated as they occur."""
    if isinstance(node, ListNode) and node.items:
        for item in node.items:
            yield from paths_of(item, f"{path}[]")
    elif isinstance(node, DictNode) and node.fields:
        for name, field in node.fields.items():
            yield from paths_of(field, _joined(path, name))
    else:
        yield path or ROOT


def mean_by_path(
    comparison: TreeComparison, expected: Node, answered: Node, known: frozenset[str]
) -> dict[str, float]:
    """Return the mean of every known path that occurs; sorted by path."""
    tally = _Tally(comparison, known)
    tally.walk(expected, answered, "")
    return tally.means()


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class _Tally:
    def __init__(self, comparison: TreeComparison, known: frozenset[str]) -> None:
        self._comparison = comparison
        self._known = known
        self._totals: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def means(self) -> dict[str, float]:
        return {path: self._totals[path] / (UNIT * self._counts[path]) for path in sorted(self._counts)}

    def walk(self, expected: Node, answered: Node, path: str) -> None:
        if isinstance(expected, DictNode) and isinstance(answered, DictNode):
            self._walk_dicts(expected, answered, path)
        elif isinstance(expected, ListNode) and isinstance(answered, ListNode):
            self._walk_lists(expected, answered, path)
        elif expected.size and isinstance(expected, DictNode | ListNode):
            self._add_wrong(paths_of(expected, path))
        else:
            total = self._comparison.pair(expected, answered).total
            self._add(path or ROOT, total)

    def _walk_dicts(self, expected: DictNode, answered: DictNode, path: str) -> None:
        for name, field in expected.fields.items():
            self.walk(field, answered.fields.get(name, NULL), _joined(path, name))
        for name, field in answered.fields.items():
            if name not in expected.fields:
                self._add_invented(field, _joined(path, name))
        if not expected.fields and not answered.fields:
            self._add(path or ROOT, UNIT)

    def _walk_lists(self, expected: ListNode, answered: ListNode, path: str) -> None:
        matching = self._comparison.matching(expected, answered)
        for row, column in matching:
            self.walk(expected.items[row], answered.items[column], f"{path}[]")
        missed = set(range(len(expected.items))).difference(row for row, _ in matching)
        for row in sorted(missed):
            self._add_wrong(paths_of(expected.items[row], f"{path}[]"))
        invented = set(range(len(answered.items))).difference(column for _, column in matching)
        for column in sorted(invented):
            self._add_invented(answered.items[column], f"{path}[]")
        if not expected.items and not answered.items:
            self._add(path or ROOT, UNIT)

    def _add_invented(self, node: Node, path: str) -> None:
        known = (self._nearest_known(each) for each in paths_of(node, path))
        self._add_wrong(each for each in known if each)

    def _nearest_known(self, path: str) -> str:
        while path and path not in self._known:
            # "a.b[]" -> "a.b" -> "a"; a bare first name has nothing around it but the root.
            path = path[:-2] if path.endswith("[]") else path.rpartition(".")[0] if "." in path else ""
        return path

    def _add_wrong(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._add(path, 0)

    def _add(self, path: str, total: int) -> None:
        if path in self._known:
            self._totals[path] = self._totals.get(path, 0) + total
            self._counts[path] = self._counts.get(path, 0) + 1
