"""The work of validating is known before it is done, and no schema makes a reply take more."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.errors import ComponentError
from evalcore.library.schema import TooMuchWork, make_validator
from evalcore.library.schema_work import MOST_VISITS, SchemaWork, is_cheap_to_compile


def doubled(depth: int) -> dict[str, Any]:
    """3 kB at a depth of 40, and 2^40 ways to the end."""
    twice = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(depth)}
    return {"$defs": twice | {f"d{depth}": {"type": "string"}}, "$ref": "#/$defs/d0"}


DOUBLED_BY_LEVEL = {"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (doubled(40), 1),
        (doubled(40), "text"),
        (DOUBLED_BY_LEVEL, nested(60)),
        ({"items": {"pattern": "(a|a)*b"}}, ["a" * 50] * 600_000),
        ({"items": {"enum": list(range(1_000))}}, list(range(100_000))),
    ],
    ids=["doubled", "doubled, valid", "doubled at each level", "patterns", "enum"],
)
def test_what_would_take_too_long_is_not_tried(schema: Any, value: Any) -> None:
    began = time.process_time()
    with pytest.raises(TooMuchWork):
        make_validator(schema).is_valid(value)
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    ("schema", "value", "is_valid"),
    [
        (doubled(14), "text", True),
        (doubled(14), 1, False),
        (DOUBLED_BY_LEVEL, nested(12), True),
        ({"$defs": {"n": {"properties": {"kids": {"items": {"$ref": "#/$defs/n"}}}}}, "$ref": "#/$defs/n"},
         {"kids": [{"kids": []}] * 1_000}, True),
        ({"items": {"type": "integer"}}, list(range(500_000)), True),
    ],
)  # fmt: skip
def test_what_takes_a_moment_is_validated(schema: Any, value: Any, is_valid: bool) -> None:  # noqa: FBT001
    assert make_validator(schema).is_valid(value) is is_valid


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}},
        {"$defs": {"a": {"dependentSchemas": {"x": {"if": {"$ref": "#/$defs/a"}}}}}, "$ref": "#/$defs/a"},
    ],
)
def test_a_reference_that_leads_back_to_itself_cannot_be_used(schema: Any) -> None:
    with pytest.raises(ComponentError, match="leads back to itself without going into the value"):
        make_validator(schema, "components/a/schema.json")


schemas = st.recursive(
    st.sampled_from([{"type": "integer"}, {"$ref": "#/$defs/leaf"}, {"enum": [1, "a"]}, True]),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"items": inner, "uniqueItems": st.booleans()}),
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("ab"), inner)}),
        st.fixed_dictionaries({"additionalProperties": inner, "unevaluatedProperties": inner}),
    ),
    max_leaves=8,
)
values = st.recursive(
    st.sampled_from([1, "a", None, "x" * 250]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(schemas, values)
def test_the_simple_bound_is_never_below_the_count(schema: Any, value: Any) -> None:
    whole = {"$defs": {"leaf": {"type": "string", "pattern": "a"}}, "allOf": [schema]}
    work = SchemaWork(whole)
    assert work._expanded is not None
    from evalcore.library.schema_work import _weight  # noqa: PLC0415

    assert 1 <= work._counted(value) <= work._expanded * _weight(value)
    assert work._counted(value) <= MOST_VISITS


def test_what_is_cheap_to_compile_is_small_and_repeats_nothing_by_number() -> None:
    assert is_cheap_to_compile({"pattern": "^[a-z]+$", "maxLength": 3}, 10)
    assert not is_cheap_to_compile({"pattern": "(a{1000}){90}"}, 10)
    assert not is_cheap_to_compile({"patternProperties": {"a{9}": True}}, 10)
    assert not is_cheap_to_compile({"enum": list(range(10))}, 10)
