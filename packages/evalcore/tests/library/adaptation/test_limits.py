"""How large a schema may be for a provider, and where it may refer back to itself."""

from __future__ import annotations

import copy

import pytest

from evalcore.library.adaptation.limits import check_limits, check_tool, compiled_too_large, open_cycles
from evalcore.library.adaptation.merge import SchemaNotTaken
from evalcore.library.adaptation.rules import (
    MOST_CHARACTERS,
    MOST_ENUM_VALUES,
    MOST_LEVELS,
    MOST_OPTIONAL,
    MOST_PROPERTIES,
    MOST_UNIONS,
)


def flat(count, *, required=True):
    names = [f"p{at}" for at in range(count)]
    return {"properties": {name: {} for name in names}, "required": names if required else []}


def nested(depth):
    schema = {"type": "string"}
    for _ in range(depth):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("schema", "larger", "words"),
    [
        (flat(MOST_PROPERTIES), flat(MOST_PROPERTIES + 1), f"{MOST_PROPERTIES + 1:,} properties"),
        (
            {"enum": list(range(MOST_ENUM_VALUES))},
            {"enum": list(range(MOST_ENUM_VALUES + 1))},
            f"{MOST_ENUM_VALUES + 1:,} values of enums",
        ),
        (
            {"enum": ["x" * MOST_CHARACTERS]},
            {"enum": ["x" * (MOST_CHARACTERS + 1)]},
            f"{MOST_CHARACTERS + 1:,} characters of names and of values of enums",
        ),
        (nested(MOST_LEVELS), nested(MOST_LEVELS + 1), f"{MOST_LEVELS + 1} levels of objects"),
    ],
)
def test_up_to_each_limit_a_schema_is_taken_and_over_it_refused_with_the_number(schema, larger, words):
    check_limits(schema)
    with pytest.raises(SchemaNotTaken) as caught:
        check_limits(larger)
    assert caught.value.what.startswith(f"openai cannot be asked for it: {words}, and ")
    assert caught.value.hint


def test_all_parts_of_a_schema_count_together():
    half = flat(MOST_PROPERTIES // 2)
    check_limits({"anyOf": [half, half]})
    with pytest.raises(SchemaNotTaken):
        check_limits({"anyOf": [half, half], "$defs": {"a": flat(1)}})


def test_levels_are_counted_through_references_and_choices_and_end_at_a_circle():
    defs = {f"d{at}": {"properties": {"a": {"$ref": f"#/$defs/d{at + 1}"}}} for at in range(MOST_LEVELS)}
    check_limits({"$defs": defs, "$ref": "#/$defs/d0"})
    with pytest.raises(SchemaNotTaken):
        check_limits({"$defs": defs, "properties": {"x": {"anyOf": [{"$ref": "#/$defs/d0"}]}}})
    circle = {"properties": {"a": {"$ref": "#/$defs/c"}}}
    check_limits({"$defs": {"c": circle}, "$ref": "#/$defs/c"})


def test_so_many_optional_properties_are_compiled():
    assert compiled_too_large(flat(MOST_OPTIONAL, required=False)) is None
    assert compiled_too_large(flat(MOST_OPTIONAL + 1, required=False)) == (
        f"it has {MOST_OPTIONAL + 1} optional properties, and {MOST_OPTIONAL} is the most that is compiled"
    )
    assert compiled_too_large(flat(MOST_OPTIONAL + 1)) is None


@pytest.mark.parametrize("part", [{"anyOf": [{}, {}]}, {"type": ["string", "null"]}])
def test_so_many_properties_of_several_types_are_compiled(part):
    def schema(count):
        names = [f"p{at}" for at in range(count)]
        return {"properties": dict.fromkeys(names, part), "required": names}

    assert compiled_too_large(schema(MOST_UNIONS)) is None
    assert f"it has {MOST_UNIONS + 1} properties of several types" in compiled_too_large(
        schema(MOST_UNIONS + 1)
    )


@pytest.mark.parametrize("name", ["a", "a.b-c_D9", "x" * 64])
def test_a_tools_property_may_have_a_plain_name(name):
    check_tool({"properties": {name: {}}})


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 65, "a/b", "$ref"])
def test_any_other_name_is_refused_wherever_it_stands(name):
    for schema in ({"properties": {name: {}}}, {"items": {"anyOf": [{"properties": {name: {}}}]}}):
        with pytest.raises(SchemaNotTaken) as caught:
            check_tool(schema)
        assert caught.value.what.startswith("anthropic cannot be asked for it: the property name ")


def opened(schema, circle=("#/$defs/n",)):
    found = list(open_cycles({"n": schema}, {"n": frozenset(circle)}))
    return found, schema


def test_a_required_property_that_leads_back_becomes_optional_and_is_told():
    node = {"properties": {"next": {"$ref": "#/$defs/n"}, "name": {}}, "required": ["name", "next"]}
    found, schema = opened(copy.deepcopy(node))
    assert found == [("n", "next")]
    assert schema["required"] == ["name"]


def test_what_leads_back_deeper_inside_of_a_property_counts_as_it():
    node = {"properties": {"l": {"items": {"anyOf": [{"$ref": "#/$defs/n"}]}}}, "required": ["l"]}
    assert opened(node)[0] == [("n", "l")]


def test_an_optional_one_and_other_references_stay():
    node = {"properties": {"next": {"$ref": "#/$defs/n"}, "a": {"$ref": "#/$defs/other"}}, "required": ["a"]}
    found, schema = opened(node)
    assert found == []
    assert schema["required"] == ["a"]


def test_a_circle_outside_of_properties_is_refused_with_its_place():
    with pytest.raises(SchemaNotTaken) as caught:
        opened({"items": {"$ref": "#/$defs/n"}})
    assert caught.value.where == "schema at n"
