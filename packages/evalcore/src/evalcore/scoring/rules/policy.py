"""scoring.yaml: what a schema cannot say of how a component's answers are to be compared."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, get_args

from evalcore.errors import ComponentError, Problems
from evalcore.formats.yaml_tree import YamlNode, read_yaml
from evalcore.near_names import did_you_mean
from evalcore.scoring.rules.rules import CLOSENESS, Comparator, ListRule, Rule
from evalcore.structs import Frozen, JsonScalar

ITEM = "[]"
COMPARATORS: tuple[Comparator, ...] = tuple(
    name for name in get_args(Comparator) if name not in {"closeness", "as shown"}
)
HIGHEST_WEIGHT = 1000
"""In leaves."""
LARGEST = sys.float_info.max

Path: TypeAlias = tuple[str, ...]
"""Names of fields, `[]` for the elements of a list."""

_TOKEN = re.compile(r"\[([^\[\]]*)\]|([^.\[\]]+)|(\.)")


class PolicyEntry(Frozen, frozen=True):
    """What the policy says of one path."""

    path: Path
    where: str
    """File and line."""
    rule: Rule | None = None
    """None where the entry leaves the leaves as they are; compare is then chosen as without a policy."""
    weight: float | None = None
    """Of leaves that the entry weighs, and says no more of."""
    lists: ListRule | None = None
    required: bool = False


Policy: TypeAlias = Mapping[Path, PolicyEntry]


def parse_policy(text: str, where: str) -> Policy:
    """Read a policy; raises ComponentError with file and line. Whether its paths exist is not known here."""
    policy, problems = read_entries(text, where)
    problems.end()
    return policy


def read_entries(text: str, where: str) -> tuple[Policy, Problems[ComponentError]]:
    """Read a policy as far as it can be read, and what is wrong with it.

    A path whose options are wrong has an entry that says nothing. Raises ComponentError for what is no YAML.
    """
    problems = Problems(ComponentError)
    policy: dict[Path, PolicyEntry] = {}
    root = read_yaml(text, where, ComponentError)
    if root is None:
        return policy, problems
    with problems:
        _check_mapping(root, where, "the policy")
    problems.add(
        _unknown(where, node, "key", key, ["fields"]) for key, node in root.items().items() if key != "fields"
    )
    fields = root.items().get("fields")
    if fields is None or fields.value is None:
        return policy, problems
    with problems:
        _check_mapping(fields, where, "`fields`")
    for written, node in fields.items().items():
        with problems:
            path = _path(written, node, where, policy)
            policy[path] = PolicyEntry(path=path, where=f"{where}:{node.line}")
            policy[path] = _entry(path, node, where)
    return policy, problems


def _path(written: str, node: YamlNode, where: str, known: Policy) -> Path:
    path = parse_path(written)
    if path is None:
        raise _wrong(where, node, f"`{written[:100]}` is no field path", "write it as `documents[].label`")
    # Two spellings of one path are found here too, since they are parsed alike.
    if path in known:
        raise _wrong(where, node, f"`{written[:100]}` stands twice", "keep one")
    return path


def parse_path(written: str) -> Path | None:
    """Return `documents[].label` as names and `[]`; None for what is no path. `.` is the whole answer."""
    if written == ".":
        return ()
    tokens: list[str] = []
    at, wants_name = 0, not written.startswith("[")
    while at < len(written):
        found = _TOKEN.match(written, at)
        if found is None or bool(found[2]) != wants_name:
            return None
        wants_name = bool(found[3])
        if not found[3]:
            tokens.append(found[2] or found[1] or ITEM)
        at = found.end()
    return None if wants_name else tuple(tokens)


def entry_for(policy: Policy, path: Path, has: Callable[[PolicyEntry], bool]) -> PolicyEntry | None:
    """Return the most specific entry at a path or above it that has what is asked for."""
    # From the leaf upwards: what is said nearest to a field holds.
    for length in range(len(path), -1, -1):
        for candidate in _spellings(path[:length]):
            entry = policy.get(candidate)
            if entry is not None and has(entry):
                return entry
    return None


def _spellings(path: Path) -> Iterable[Path]:
    yield path
    # `sections[].items[]` stands for `sections[Key dates].items[]`, unless that has an entry of its own.
    if len(path) > 1 and path[0] == "sections" and path[1] != ITEM:
        yield (path[0], ITEM, *path[2:])


def _entry(path: Path, node: YamlNode, where: str) -> PolicyEntry:
    # `field: ignore`, the short form.
    if isinstance(node.value, str):
        node = YamlNode(line=node.line, value={"compare": node})
    _check_mapping(node, where, "what is said of a field")
    return _Options(node, where).entry(path)


class _Options:
    """Reads the options of one path."""

    def __init__(self, node: YamlNode, where: str) -> None:
        self.node = node
        self.where = where
        self.given = node.items()

    def entry(self, path: Path) -> PolicyEntry:
        self._check()
        compare, weight = self._compare(), self._weight()
        return PolicyEntry(
            path=path,
            where=f"{self.where}:{self.node.line}",
            rule=self._rule(compare, weight) if compare is not None else None,
            weight=weight,
            lists=self._lists(compare),
            required=self._bool("required"),
        )

    def _check(self) -> None:
        """Raise ComponentError for all options that are wrong."""
        problems = Problems(ComponentError)
        # A mistyped option that is passed over would leave the author believing that it counts.
        unknown = {key: option for key, option in self.given.items() if key not in _OPTIONS}
        problems.add(_unknown(self.where, option, "option", key, _OPTIONS) for key, option in unknown.items())
        if not self.given:
            problems.add([_wrong(self.where, self.node, "nothing is said of the field", "give it an option")])
        readers: tuple[Callable[[], object], ...] = (
            self._weight,
            self._choices,
            lambda: self._number("tolerance", lowest=0),
            lambda: self._names("align_by"),
            *(functools.partial(self._bool, key) for key in ("relative", "ordered", "required")),
        )
        for read in readers:
            with problems:
                read()
        with problems:
            self._check_range()
        with problems:
            problems.add(self._misfits(self._compare()))
        problems.end()

    def _rule(self, compare: Comparator, weight: float | None) -> Rule:
        # A confidence tells how sure a model is, not what the document says: it weighs little.
        usual = {"ignore": 0.0, "confidence": CLOSENESS}.get(compare, 1.0)
        return Rule(
            compare=compare,
            weight=usual if weight is None or compare == "ignore" else weight,
            why=f"{self.where}:{self.node.line}",
            tolerance=self._number("tolerance", lowest=0),
            relative=self._bool("relative", default=True),
            options=self._choices(),
            low=self._number("min"),
            high=self._number("max"),
        )

    def _compare(self) -> Comparator | None:
        node = self.given.get("compare")
        if node is None:
            return "one_of" if "one_of" in self.given else None
        for name in COMPARATORS:
            if node.value == name:
                return name
        raise _unknown(self.where, node, "comparator", str(node.text), COMPARATORS)

    def _misfits(self, compare: Comparator | None) -> Iterator[ComponentError]:
        """Each option belongs to certain comparators, and some comparators need an option."""
        for option, comparators in _BELONGS.items():
            if option in self.given and compare not in comparators:
                yield _wrong(
                    self.where,
                    self.given[option],
                    f"`{option}` goes with {' or '.join(comparators)}",
                    f"write `compare: {comparators[0]}` beside it, or leave it out",
                )
        if compare == "one_of" and "one_of" not in self.given:
            yield _wrong(self.where, self.node, "`one_of` needs its values", "write `one_of: [a, b]`")
        if compare == "range" and not {"min", "max"} & self.given.keys():
            yield _wrong(self.where, self.node, "`range` needs `min` or `max`", "give one of them")

    def _check_range(self) -> None:
        low, high = self._number("min"), self._number("max")
        if low is not None and high is not None and low > high:
            raise _wrong(self.where, self.given["min"], "`min` is above `max`", "change one of them")

    def _lists(self, compare: Comparator | None) -> ListRule | None:
        if compare != "set" and not {"ordered", "align_by"} & self.given.keys():
            return None
        return ListRule(
            ordered=self._bool("ordered"), align_by=self._names("align_by"), as_set=compare == "set"
        )

    def _weight(self) -> float | None:
        return self._number("weight", lowest=0, highest=HIGHEST_WEIGHT)

    def _number(self, key: str, lowest: float | None = None, highest: float | None = None) -> float | None:
        node = self.given.get(key)
        if node is None:
            return None
        value = node.value
        # NaN, infinity, and an integer beyond every double are no numbers either.
        if isinstance(value, bool) or not (isinstance(value, int | float) and abs(value) <= LARGEST):
            raise _wrong(self.where, node, f"`{key}` is no number", "write one")
        if (lowest is not None and value < lowest) or (highest is not None and value > highest):
            bounds = f"at least {lowest}" if highest is None else f"between {lowest} and {highest}"
            raise _wrong(self.where, node, f"`{key}` is not {bounds}", "change it")
        return float(value)

    def _bool(self, key: str, *, default: bool = False) -> bool:
        node = self.given.get(key)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            raise _wrong(self.where, node, f"`{key}` is neither true nor false", "write one of them")
        return node.value

    def _names(self, key: str) -> tuple[str, ...]:
        node = self.given.get(key)
        if node is None:
            return ()
        items = node.value if isinstance(node.value, list) else [node]
        names = tuple(item.text for item in items if item.text)
        if not names or len(names) != len(items):
            raise _wrong(self.where, node, f"`{key}` is no list of field names", "write `[code, label]`")
        return names

    def _choices(self) -> tuple[JsonScalar, ...]:
        node = self.given.get("one_of")
        if node is None:
            return ()
        if not isinstance(node.value, list) or not node.value:
            raise _wrong(self.where, node, "`one_of` is no list of values", "write `[a, b]`")
        choices: list[JsonScalar] = []
        for item in node.value:
            if isinstance(item.value, dict | list | None):
                # Null and nothing are no leaf: they could never be met.
                raise _wrong(self.where, item, "a value of `one_of` is not a plain one", "write a word")
            choices.append(item.value)
        return tuple(choices)


_OPTIONS = (
    "compare",
    "weight",
    "tolerance",
    "relative",
    "one_of",
    "min",
    "max",
    "align_by",
    "ordered",
    "required",
)
_BELONGS = {
    "tolerance": ("number", "money"),
    "relative": ("number", "money"),
    "min": ("range",),
    "max": ("range",),
    "one_of": ("one_of",),
}


def _check_mapping(node: YamlNode, where: str, what: str) -> None:
    if not isinstance(node.value, dict):
        raise _wrong(where, node, f"{what} is no mapping", "write `path: {compare: ...}` under `fields:`")


def _unknown(where: str, node: YamlNode, kind: str, name: str, known: Iterable[str]) -> ComponentError:
    known = list(known)
    hint = did_you_mean(name, known) or f"use one of {', '.join(known)}"
    return _wrong(where, node, f"unknown {kind} `{name[:100]}`", hint)


def _wrong(where: str, node: YamlNode, what: str, hint: str) -> ComponentError:
    return ComponentError(what, where=f"{where}:{node.line}", hint=hint)
