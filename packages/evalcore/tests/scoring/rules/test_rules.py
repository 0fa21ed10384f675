"""Which rule a field gets: by its schema, by its values, by the words of any case."""

from __future__ import annotations

import pytest

from evalcore.library.component import Case, Component
from evalcore.scoring.difference import diff
from evalcore.scoring.explain import explain
from evalcore.scoring.plain_text import plain_text
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.scorer import TreeScorer, make_scorer, plan_fields, scorer_of
from evalcore.scoring.values import Quantity, moment_of, quantity_of
from evalcore.structs import JsonValue
from evalsim.testing import make_case, make_component

LONG = "a sentence of more than eight words in all of it"
SCHEMA = {
    "$defs": {
        "code": {"type": "string", "enum": ["a", "b"]},
        "node": {
            "type": "object",
            "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
        },
    },
    "type": "object",
    "properties": {
        "kind": {"const": "memo"},
        "code": {"$ref": "#/$defs/code"},
        "either": {"anyOf": [{"$ref": "#/$defs/code"}, {"type": "null"}]},
        "count": {"type": ["integer", "null"]},
        "sum": {"type": "number"},
        "confidence": {"allOf": [{"type": "number"}, {"minimum": 0}, {"maximum": 1}]},
        "due": {"type": ["string", "null"], "format": "date"},
        "url": {"type": "string", "format": "uri"},
        "id": {"type": "string", "pattern": "^[A-Z]+$"},
        "note": {"type": "string"},
        "mixed": {"type": ["string", "integer"]},
        "yes": {"type": "boolean"},
        "node": {"$ref": "#/$defs/node"},
        "parts": {
            "type": "array",
            "prefixItems": [
                {"properties": {"key": {"const": "A"}, "text": {"type": "string"}}},
                {"properties": {"key": {"const": "B"}, "text": {"type": "string"}}},
            ],
        },
    },
}


def component(category: str | None = None, schema: dict | None = None, output: str = "json") -> Component:
    return make_component(category=category, schema=schema, output=output)


def case(expected: object, name: str = "first") -> Case:
    return make_case(name, expected)


@pytest.mark.parametrize(
    ("path", "compare", "weight"),
    [
        ("kind", "exact", 0),
        ("code", "exact", 1),
        ("either", "exact", 1),
        ("count", "number", 1),
        ("sum", "number", 1),
        ("confidence", "closeness", 0.25),
        ("due", "date", 1),
        ("url", "exact", 1),
        ("id", "exact", 1),
        ("note", "as shown", 1),
        ("mixed", "as shown", 1),
        ("yes", "exact", 1),
    ],
)
def test_the_schema_tells_the_rule(path: str, compare: str, weight: float) -> None:
    rule = FieldRules(SCHEMA).root.field(path).rule
    assert (rule.compare, rule.weight) == (compare, weight)


def test_a_recursive_schema_is_followed_as_far_as_the_answer_goes() -> None:
    field = FieldRules(SCHEMA).root.field("node")
    for _ in range(40):
        field = field.field("next")
    assert field.field("n").rule.compare == "number"


def test_elements_that_the_schema_tells_apart_are_aligned_by_that() -> None:
    field = FieldRules(SCHEMA).root.field("parts")
    assert field.lists.align_by == ("key",)
    assert field.item().field("key").rule.weight == 0


def test_a_field_is_prose_if_any_case_has_eight_words_there() -> None:
    rules = plan_fields(component(), [case({"t": "short"}), case({"t": LONG}, "second")])
    alone = plan_fields(component(), [case({"t": "short"})])
    assert rules.root.field("t").rule.is_prose
    assert not alone.root.field("t").rule.is_prose
    scorer = make_scorer(component(), case({"t": "short", "n": 1}), rules)
    assert scorer.score({"t": "other", "n": 1}).accuracy == pytest.approx(1 / 1.25)
    assert scorer.score({"t": "short", "n": 1}).prose == 1


@pytest.mark.parametrize("path", ["code", "url", "id", "due"])
def test_enums_formats_and_patterns_are_never_prose(path: str) -> None:
    assert not FieldRules(SCHEMA, [{path: LONG}]).root.field(path).rule.is_prose


def test_prose_of_inner_objects_has_a_share_of_its_own() -> None:
    expected = {"why": LONG, "l": [{"n": 1, "why": LONG}, {"n": 2, "why": LONG}]}
    answer = {"why": LONG, "l": [{"n": 1, "why": "x"}, {"n": 2, "why": LONG}]}
    assert TreeScorer(expected).score(answer).accuracy == pytest.approx((0.25 + 1 + 1 + 0.25) / 2.75)


@pytest.mark.parametrize("category", ["drafting", "review"])
def test_prose_is_the_product_where_it_is(category: str) -> None:
    rules = plan_fields(component(category), [case({"t": LONG})])
    rule = rules.root.field("t").rule
    assert (rule.compare, rule.weight, rule.is_prose) == ("tokens", 1, True)


def test_a_name_that_nobody_knows_gets_no_field_of_its_own() -> None:
    root = FieldRules(SCHEMA).root
    assert root.field("x1") is root.field("x2")
    assert root.field("x1").field("y").item() is root.field("x2").field("z").item()


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$4,125", 4125, "$"),
        ("4125.50 USD", 4125.5, "usd"),
        ("USD 4,125", 4125, "usd"),
        ("$1.2 million", 1_200_000, "$"),
        ("$168M", 168_000_000, "$"),
        ("3 months", 3, "month"),
        ("twelve pages", 12, "page"),
        ("15%", 15, "%"),
        ("-3", -3, None),
        ("(3)", -3, None),
        (3, 3, None),
    ],
)
def test_amounts_are_read_however_they_are_written(text: str, value: float, unit: str | None) -> None:
    assert quantity_of(text) == Quantity(value, unit)


@pytest.mark.parametrize("text", ["", "26-508", "1,23", "1 of 2", "v3", "9" * 80, True, None, "1e5"])
def test_other_texts_are_no_amounts(text: object) -> None:
    assert quantity_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "July 2026",
        "Foo 1, 2026",
        "31 June 2026",
        "2026-07-01T24:00",
        "2026-07-01T09:00+05:75",
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    assert moment_of(text) is None


def test_texts_that_read_alike_are_one() -> None:
    assert plain_text("ﬁne\u00a0 “Print”\u2013X") == plain_text('FINE "print"-x')


def test_every_leaf_is_explained() -> None:
    rows = explain(
        component(schema=SCHEMA), [case({"code": "a", "confidence": 0.5, "note": LONG, "sum": None})]
    )
    table = {row.path: (row.rule, row.weight, row.why) for row in rows}
    assert table["code"] == ("exact", 1, "one of a vocabulary (enum)")
    assert table["confidence"][:2] == ("confidence", 0.25)
    assert table["note"][:2] == ("text", 0.25)
    assert "sum" not in table
    assert {row.case for row in rows} == {"first"}


def test_what_a_value_shows_itself_to_be_is_told() -> None:
    values = {"a": True, "b": "May 2, 2026", "c": "$4,125", "d": "15%", "e": 15, "f": "by mail"}
    told = {row.path: (row.rule, row.why) for row in explain(component(), [case(values)])}
    assert [told[name][0] for name in "abcdef"] == ["exact", "date", "money", "number", "number", "text"]
    assert {why for _, why in told.values()} == {"as the expected value shows"}


def test_prose_that_shares_is_explained_with_its_part() -> None:
    rows = explain(component(), [case({"a": LONG, "b": LONG, "l": [LONG, LONG], "in": {"b": LONG}})])
    assert [(row.path, row.rule, row.weight) for row in rows] == [
        ("a", "text", 0.25 / 2),
        ("b", "text", 0.25 / 2),
        ("l[]", "words", 1),
        ("l[]", "words", 1),
        ("in.b", "text", 0.25),
    ]


def test_a_field_of_which_few_values_are_long_is_no_prose() -> None:
    def of(*texts: str) -> bool:
        return (
            FieldRules(None, [{"l": [{"t": text} for text in texts]}])
            .root.field("l")
            .item()
            .field("t")
            .rule.is_prose
        )

    assert of(LONG, LONG, "short")
    assert of(LONG, "short")
    assert not of(LONG, "short", "short")
    assert not of("NE 1/4, SW 1/4, Sec. 7, T. 3N, R. 9E")


@pytest.mark.parametrize(
    ("name", "compare"),
    [
        ("confidence", "closeness"),
        ("confidence_score", "closeness"),
        ("matchProbability", "closeness"),
        ("scores[]", "closeness"),
        ("certainty", "closeness"),
        ("likelihood", "closeness"),
        ("indirect_rate", "number"),
        ("share", "number"),
        ("underscored", "number"),
    ],
)
def test_a_number_from_0_to_1_is_a_confidence_by_its_name_alone(name: str, compare: str) -> None:
    fraction = {"type": "number", "minimum": 0, "maximum": 1}
    is_list = name.endswith("[]")
    place = {"type": "array", "items": fraction} if is_list else fraction
    field = FieldRules({"properties": {name.removesuffix("[]"): place}}).root.field(name.removesuffix("[]"))
    assert (field.item() if is_list else field).rule.compare == compare


@pytest.mark.parametrize(
    ("kind", "expected", "answer", "score"),
    [
        ("number", 0.15, "15%", 1),
        ("number", 15, "15%", 1),
        ("number", 0.15, "16%", 0),
        ("number", 4125, "$4,125", 1),
        ("number", 25_000_000, 25_000_011, 1),
        ("number", 25_000_000, "$25,000,011", 0),
        ("integer", 12, "12 pages", 1),
        ("integer", 12, "twelve", 1),
        ("integer", 7, "007", 0),
        ("string", "15%", "0.15", 0),
        ("string", "12345678", "12345679", 0),
    ],
)
def test_a_number_is_compared_by_what_the_schema_says(
    kind: str, expected: JsonValue, answer: JsonValue, score: float
) -> None:
    rules = FieldRules({"properties": {"n": {"type": kind}}}, [{"n": expected}])
    assert TreeScorer({"n": expected}, rules).score({"n": answer}).accuracy == score


@pytest.mark.parametrize(
    ("form", "expected", "answer", "score"),
    [
        ("date", "2027-03-09", "20270309", 1),
        ("date", "2027-03-09", 20270309, 1),
        ("date", "2027-03-09", "March 9, 2027.", 1),
        ("date", "2027-03-09", "2027-03-09T00:00:00Z", 0),
        ("date", "to be announced", "To be announced", 1),
        ("date", "to be announced", "2027-03-09", 0),
        ("time", "17:00:00", "5 p.m.", 1),
        ("duration", "P3Y", "36 months", 1),
        ("uuid", "1", "01", 0),
    ],
)
def test_a_form_of_the_schema_says_how_a_text_is_compared(
    form: str, expected: JsonValue, answer: JsonValue, score: float
) -> None:
    rules = FieldRules({"properties": {"d": {"type": "string", "format": form}}}, [{"d": expected}])
    assert TreeScorer({"d": expected}, rules).score({"d": answer}).accuracy == score


def test_a_difference_shows_what_was_matched_wrong_missed_and_invented() -> None:
    expected = {"a": 1, "b": "x", "l": [{"c": "p"}, {"c": "q"}], "only": True}
    one = case(expected)
    rules = plan_fields(component(), [one])
    difference = diff(scorer_of(component(), one, rules), {"a": 1, "b": "y", "l": [{"c": "q"}], "new": [2]})
    assert difference.score.accuracy == pytest.approx(2 / 6)
    found: dict[tuple[str, str, str], str] = {}

    def collect(node: object) -> None:
        if not node.children:
            found[node.path, node.expected, node.answered] = node.status
        for child in node.children:
            collect(child)

    collect(difference.tree)
    assert found == {
        ("a", "1", "1"): "matched",
        ("b", '"x"', '"y"'): "wrong",
        ("l[].c", '"q"', '"q"'): "matched",
        ("l[].c", '"p"', ""): "missed",
        ("only", "true", ""): "missed",
        ("*[]", "", "2"): "invented",
    }


def _names(node: object, at: str = "") -> dict[str, str]:
    """Return each leaf's status by the names above it."""
    where = f"{at}/{node.name}"
    if not node.children:
        return {where: node.status}
    return {name: status for child in node.children for name, status in _names(child, where).items()}


def test_a_difference_names_elements_by_their_place_in_the_list_as_written() -> None:
    one = case({"l": ["z", None, "a", "m"]})
    difference = diff(scorer_of(component(), one, plan_fields(component(), [one])), {"l": ["m", "new", "z"]})
    assert _names(difference.tree) == {
        "/./l/[0]": "matched",
        "/./l/[2]": "wrong",
        "/./l/[3]": "matched",
    }


def test_a_difference_names_elements_by_what_the_policy_aligns_by() -> None:
    policy = "fields:\n  l: {align_by: [code]}\n"
    one = case({"l": [{"code": "x", "n": 1}, {"code": "y", "n": 2}]})
    ours = make_component("notes", policy=policy, policy_where="scoring.yaml", policy_sha256="0" * 64)
    difference = diff(scorer_of(ours, one, plan_fields(ours, [one])), {"l": [{"code": "y", "n": 3}]})
    assert _names(difference.tree)['/./l/[code="y"]/n'] == "wrong"
    assert _names(difference.tree)['/./l/[code="x"]/n'] == "missed"


def test_prose_in_a_difference_weighs_its_part_so_that_the_tree_adds_up_to_the_score() -> None:
    expected = {"a": LONG, "c": LONG, "l": [LONG, f"{LONG} too"], "in": [{"b": LONG, "n": 1}]}
    one = case(expected)
    scorer = scorer_of(component(), one, plan_fields(component(), [one]))
    answer = {
        "a": LONG,
        "c": f"{LONG} too",
        "l": [LONG, f"{LONG} too", "invented"],
        "in": [{"b": "other", "n": 1}, {"b": LONG}],
    }
    difference = diff(scorer, answer)
    leaves: list[tuple[str, float]] = []

    def collect(node: object) -> None:
        if not node.children:
            leaves.append((node.path, node.weight))
        for child in node.children:
            collect(child)

    collect(difference.tree)
    outside = [("a", 0.25 / 2), ("c", 0.25 / 2), *[("l[]", 1.0)] * 3]
    within = [("in[].b", 0.25), ("in[].b", 0.25), ("in[].n", 1.0)]
    assert sorted(leaves) == sorted([*outside, *within])
    assert difference.tree.weight == pytest.approx(4.75)
    assert difference.tree.score == pytest.approx(difference.score.accuracy)


def test_precision_falls_with_what_is_invented_and_recall_with_what_is_missed() -> None:
    scorer = TreeScorer({"a": 1, "l": ["x", "y", "z"]})
    invented = scorer.score({"a": 1, "l": ["x", "y", "z", "v"], "b": 5})
    assert (invented.precision, invented.recall) == (pytest.approx(4 / 6), 1)
    assert invented.precision_by_field == {"a": 1, "l[]": 0.75}
    missed = scorer.score({"a": 1, "l": ["x"]})
    assert (missed.precision, missed.recall) == (1, 0.5)
    assert missed.recall_by_field == pytest.approx({"a": 1, "l[]": 1 / 3})
    nothing = scorer.score({})
    assert (nothing.precision, nothing.recall, nothing.accuracy) == (1, 0, 0)


def test_lengths_of_lists_agree_as_the_shorter_to_the_longer() -> None:
    scorer = TreeScorer({"l": ["x"]})
    assert scorer.agree({"l": ["a"]}, {"l": ["a", "b"]}).by_field == {"l[]": 0.5, "len(l)": 0.5}


def test_markdown_answers_agree_whatever_their_headings_are_like() -> None:
    scorer = make_scorer(component(output="markdown"), case("# Dates\n- May 2\n"))
    one = {"sections": [{"heading": "Dates", "items": ["June 1"]}, {"heading": "Extra", "items": ["x"]}]}
    other = {
        "sections": [{"heading": "2. Extras", "items": ["x"]}, {"heading": "DATES", "items": ["June 1"]}]
    }
    agreement = scorer.agree(one, other)
    assert agreement == scorer.agree(other, one)
    assert 0.9 < agreement.value < 1


def test_items_of_markdown_are_no_prose_but_paragraphs_are() -> None:
    text = f"# A\n\n{LONG}\n\n- {LONG}\n"
    rules = plan_fields(component(output="markdown"), [case(text)])
    section = rules.root.field("sections").field("A")
    assert section.field("paragraphs").item().rule.shares
    assert not section.field("items").item().rule.shares
