"""The rules of a component's fields: from its policy, its schema, and what its expected answers show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from evalcore.errors import CaseError, ComponentError
from evalcore.formats.markdown import parse_markdown
from evalcore.formats.strict_json import parse_json
from evalcore.library.component import Case, Component
from evalcore.library.schema_view import Place, SchemaView, facts_of, types_of
from evalcore.near_names import did_you_mean
from evalcore.scoring.anls.nodes import clipped
from evalcore.scoring.markdown_tree import markdown_fields
from evalcore.scoring.rules.policy import ITEM, Path, Policy, PolicyEntry, entry_for, read_entries
from evalcore.scoring.rules.rules import CLOSENESS, PROSE_SHARE, PROSE_WORDS, ListRule, Rule
from evalcore.structs import JsonObject, JsonValue

WORDING_CATEGORIES = frozenset({"drafting", "review"})
"""Where the prose is the product."""
INVENTED = "*"
"""Stands for every name that neither schema, policy nor expected answers know."""

_AS_SHOWN = "as the expected value shows"
_SENTENCE = Rule("words", 1.0, "element of a list of sentences: words in common")
_CONFIDENCES = frozenset("confidence probability score certainty likelihood".split())  # noqa: SIM905
"""What a number from 0 to 1 must be called to be a confidence; any other is a number."""
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Seen:
    """What the expected answers of all cases hold at one place."""

    __slots__ = ("_texts", "fields", "item")

    def __init__(self) -> None:
        self.fields: dict[str, Seen] = {}
        self.item: Seen | None = None
        self._texts: dict[int, list[bool]] = {}

    def add(self, value: JsonValue, case: int) -> None:
        """Take in one expected value of a case."""
        if isinstance(value, dict):
            for name, item in value.items():
                self.fields.setdefault(name, Seen()).add(item, case)
        elif isinstance(value, list):
            self.item = self.item or Seen()
            for item in value:
                self.item.add(item, case)
        elif value is not None:
            self._texts.setdefault(case, []).append(isinstance(value, str) and _is_long(value))

    @property
    def is_long(self) -> bool:
        """Whether in any case half of the values or more are texts as long as prose."""
        # Of any one case, not of all: short answers in many cases do not make a description a label.
        return any(2 * sum(texts) >= len(texts) for texts in self._texts.values())


def _is_long(text: str) -> bool:
    """Whether a text has as many words as prose; what holds a digit is none (`SW 1/4 Sec. 20`)."""
    words = text.split()
    return len(words) >= PROSE_WORDS and (
        len(words) - sum(any(map(str.isdigit, word)) for word in words) >= PROSE_WORDS
    )


class Field:
    """One place in a component's answers, the same for all its cases."""

    def __init__(self, rules: FieldRules, path: Path, place: Place, seen: Seen) -> None:
        self._rules = rules
        self._place = place
        self._seen = seen
        self._children: dict[str, Field] = {}
        self._item: Field | None = None
        self.path = path
        self.name = path_text(path)
        self.rule = rules.rule_of(path, place, seen)
        required = entry_for(rules.policy, path, lambda entry: entry.required)
        # Of this very field: what an object requires is not required of all within it.
        self.required = required is not None and len(required.path) == len(path)

    @cached_property
    def lists(self) -> ListRule:
        """How lists at this place are aligned."""
        entry = entry_for(self._rules.policy, self.path, lambda entry: entry.lists is not None)
        if entry is not None and entry.lists is not None and len(entry.path) == len(self.path):
            return entry.lists
        # A schema that tells kinds of elements apart by a constant has said what belongs together.
        return ListRule(align_by=self._rules.discriminators(self._place))

    def field(self, name: str) -> Field:
        """Return an object's field; all unknown names share one."""
        known = self._children.get(name)
        if known is None:
            if not self.knows(name):
                # Else a model that invents ten thousand names would make ten thousand fields that are kept
                # for the run.
                name = INVENTED
            known = self._children.get(name)
        if known is None:
            place = self._rules.view.field(self._place, name)
            seen = self._seen.fields.get(name) or Seen()
            known = self._children[name] = Field(self._rules, (*self.path, name), place, seen)
        return known

    def item(self) -> Field:
        """Return the place of a list's elements."""
        if self._item is None:
            place = self._rules.view.item(self._place)
            self._item = Field(self._rules, (*self.path, ITEM), place, self._seen.item or Seen())
        return self._item

    def knows(self, name: str) -> bool:
        """Whether an object here may have a field of that name."""
        return name in self._seen.fields or name in self._rules.view.names(self._place)

    def names(self) -> frozenset[str]:
        """Return the names of the fields that an object here is known to have."""
        return self._rules.view.names(self._place) | self._seen.fields.keys()

    def has_list(self) -> bool:
        """Whether there may be a list here."""
        return self._seen.item is not None or self._rules.view.has_items(self._place)


class FieldRules:
    """The rules of all fields of a component. Made once per run, by `plan_fields`."""

    def __init__(
        self,
        schema: JsonObject | None = None,
        expected: Iterable[JsonValue] = (),
        policy: Policy | None = None,
        *,
        wording: bool = False,
        markdown: bool = False,
    ) -> None:
        self.view = SchemaView(schema)
        self.policy: Policy = policy or {}
        self.wording = wording
        self.markdown = markdown
        seen = Seen()
        for case, value in enumerate(expected):
            seen.add(clipped(value), case)
        # After all cases were seen: whether a field is prose is decided once, for the component.
        self.root = Field(self, (), self.view.place, seen)

    def rule_of(self, path: Path, place: Place, seen: Seen) -> Rule:
        """Return the rule of the leaves at a path: the most specific of the policy, else the evaluator's."""
        entry = entry_for(self.policy, path, lambda entry: entry.rule is not None or entry.weight is not None)
        if entry is not None and entry.rule is not None:
            return entry.rule
        # A schema that says what a value is decides; only a free text may be prose.
        rule = _rule_by_schema(place, path) or Rule("as shown", 1.0, _AS_SHOWN)
        if rule.compare == "as shown" and seen.is_long:
            rule = _SENTENCE if self._is_sentence(path) else self._prose_rule()
        if entry is not None and entry.weight is not None:
            return Rule(
                rule.compare, entry.weight, f"{rule.why}; weight: {entry.where}", is_prose=rule.is_prose
            )
        return rule

    def discriminators(self, place: Place) -> tuple[str, ...]:
        """Return the fields that the schema fixes differently for each of a list's elements."""
        item = self.view.item(place)
        if len(item.alternatives) < 2:  # noqa: PLR2004 (one alternative distinguishes nothing)
            return ()
        names = sorted(self.view.names(item))
        return tuple(name for name in names if _is_fixed(facts_of(self.view.field(item, name))))[:1]

    def _prose_rule(self) -> Rule:
        if self.wording:
            why = "prose, which is this component's product: word overlap"
            return Rule("tokens", 1.0, why, is_prose=True)
        why = f"prose ({PROSE_WORDS} words or more in an expected answer); shares {PROSE_SHARE} per object"
        return Rule("text", PROSE_SHARE, why, is_prose=True, shares=True)

    def _is_sentence(self, path: Path) -> bool:
        # The elements of a list of texts are what the answer says, however long they are; a document's
        # paragraphs are how it says it.
        return not self.wording and path[-1:] == (ITEM,) and not (self.markdown and path[-2:-1] != ("items",))


def plan_fields(component: Component, cases: Sequence[Case]) -> FieldRules:
    """Plan the comparison of a component's answers, once for all its cases.

    Raises ComponentError, with file and line, for a policy that cannot be used or names a path that
    neither the schema nor any expected answer has; CaseError for an expected answer that is not JSON.
    """
    policy, problems = read_entries(component.policy or "", component.policy_where or "scoring.yaml")
    rules = FieldRules(
        component.schema,
        [expected_value(component, case) for case in cases],
        policy,
        wording=component.category in WORDING_CATEGORIES,
        markdown=not component.is_json,
    )
    # After the rules are made: they know which fields there are, of schema and expected answers both.
    for path in policy:
        with problems:
            _check_path(rules, path, policy)
    problems.end()
    return rules


def expected_value(component: Component, case: Case) -> JsonValue:
    """Return a case's expected answer as the tree that answers are compared with."""
    if not component.is_json:
        return markdown_fields(parse_markdown(case.expected))
    try:
        return parse_json(case.expected)
    except ValueError as error:
        raise CaseError(
            f"the expected answer is not JSON: {error}",
            where=f"{component.slug}, case {case.name}",
            hint="mend expected.json",
        ) from error


def path_text(path: Path) -> str:
    """Write a path: `document_requirements[].page_limit`, `[].x`, `.` for the whole answer."""
    text = ""
    for at, name in enumerate(path):
        if name == ITEM:
            text += ITEM
        elif at == 1 and path[0] == "sections":
            text += f"[{name}]"
        else:
            text += f".{name}" if text else name
    return text or "."


def _check_path(rules: FieldRules, path: Path, policy: Policy) -> None:
    fields = [rules.root]
    for name in path:
        # For the hint: names that are near are looked for among those at the place where the path ends.
        above = fields
        if name == ITEM:
            listed = [field.item() for field in fields if field.has_list()]
            # `sections[]` of a Markdown answer: each section, by its heading.
            sections = [
                field.field(heading)
                for field in fields
                if rules.markdown
                for heading in field._seen.fields  # noqa: SLF001
            ]
            fields = listed + (sections if path[:1] == ("sections",) else [])
        else:
            fields = [field.field(name) for field in fields if field.knows(name)]
        if not fields:
            raise ComponentError(
                f"there is no field `{path_text(path)}` in the schema nor in any expected answer",
                where=policy[path].where,
                hint=_near_field(name, above),
            )
    _check_alignment(policy[path], fields)


def _near_field(name: str, above: Sequence[Field]) -> str:
    known = sorted({known for field in above for known in field.names()})
    return did_you_mean(name, known) or f"`{name}` is not there; write lists as `name[]`"


def _check_alignment(entry: PolicyEntry, fields: Sequence[Field]) -> None:
    lists = entry.lists
    listed = [field for field in fields if field.has_list()]
    # A text may be compared as a set as well.
    if lists is None or (lists.as_set and not listed and not lists.align_by and not lists.ordered):
        return
    text = path_text(entry.path)
    if not listed:
        raise ComponentError(f"`{text}` is no list", where=entry.where, hint="name a list")
    for name in lists.align_by:
        if not any(field.item().knows(name) for field in listed):
            what = f"`{text}[]` has no field `{name[:100]}` to align by"
            raise ComponentError(what, where=entry.where, hint="name a field of its elements")


def _rule_by_schema(place: Place, path: Path) -> Rule | None:
    facts = facts_of(place)
    if not facts:
        return None
    if _is_fixed(facts) or (all("const" in fact for fact in facts)):
        return Rule("exact", 0.0, "fixed by the schema (const)")
    if all("const" in fact or "enum" in fact for fact in facts):
        return Rule("exact", 1.0, "one of a vocabulary (enum)")
    kinds = [_kind(fact, path) for fact in facts if "const" not in fact and "enum" not in fact]
    # Which of them holds only the value shows.
    if any(kind != kinds[0] for kind in kinds):
        return Rule("as shown", 1.0, f"the schema allows several kinds; {_AS_SHOWN}")
    return kinds[0]


def _kind(facts: Mapping[str, JsonValue], path: Path) -> Rule:
    types = types_of(facts)
    if types == {"boolean"}:
        return Rule("exact", 1.0, "boolean")
    # Whole numbers count things: one more is another answer, so there is no tolerance.
    if types == {"integer"}:
        return Rule("number", 1.0, "integer", tolerance=0.0)
    if types and types <= {"integer", "number"}:
        if _is_fraction(facts) and _is_called_confidence(path):
            return Rule("closeness", CLOSENESS, "number from 0 to 1 (a confidence, by its name)")
        return Rule("number", 1.0, "number", fractions=True)
    if types == {"string"}:
        return _text_rule(facts)
    return Rule("as shown", 1.0, _AS_SHOWN)


def _is_fraction(facts: Mapping[str, JsonValue]) -> bool:
    lowest = facts.get("minimum", facts.get("exclusiveMinimum"))
    highest = facts.get("maximum", facts.get("exclusiveMaximum"))
    return lowest is not None and highest is not None and lowest == 0 and highest == 1


def _is_called_confidence(path: Path) -> bool:
    name = next((name for name in reversed(path) if name != ITEM), "")
    # By its name alone: a share from 0 to 1 may as well be a rate that must be right.
    return any(part.lower().removesuffix("s") in _CONFIDENCES for part in _NAME_PART.findall(name))


def _text_rule(facts: Mapping[str, JsonValue]) -> Rule:
    form = facts.get("format")
    if form in {"date", "date-time"}:
        return Rule("date", 1.0, f"format {form}")
    # `P3Y` is three years however it is written, which the readers of texts know.
    if form in {"time", "duration"}:
        return Rule("as shown", 1.0, f"format {form}")
    # uri, email, uuid and the like name one thing: nearly the same is another one.
    if isinstance(form, str):
        return Rule("exact", 1.0, f"format {form[:40]}")
    if "pattern" in facts:
        return Rule("exact", 1.0, "identifier (pattern)")
    return Rule("as shown", 1.0, f"text; {_AS_SHOWN}")


def _is_fixed(facts: Sequence[Mapping[str, JsonValue]]) -> bool:
    return bool(facts) and all("const" in fact for fact in facts)
