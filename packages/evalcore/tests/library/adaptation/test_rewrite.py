"""One place of a schema after the other: what is sent there, what that changes, and what no words are for."""

import pytest

from evalcore.library.adaptation.merge import Merger
from evalcore.library.adaptation.rewrite import Inexpressible, Rewriter

DIALECTS = ("anthropic", "openai", "google")
CLOSED = ("anthropic", "openai")
TEXT = {"type": "string"}


def rewritten(schema, dialect, where="a"):
    rewriter = Rewriter(dialect, Merger(schema if isinstance(schema, dict) else {}))
    return rewriter.rewritten(schema, where), rewriter.changes()


def refusal(schema, dialect):
    with pytest.raises(Inexpressible) as raised:
        rewritten(schema, dialect)
    return str(raised.value), raised.value.where


def test_a_schema_that_is_true_allows_everything_and_false_nothing():
    assert rewritten(True, "google") == ({}, ())
    assert refusal(False, "google") == ("it has `not`", "schema at a")


@pytest.mark.parametrize("dialect", CLOSED)
def test_a_schema_of_properties_alone_is_sent_as_an_object_and_that_is_said(dialect):
    whole = {"type": "object", "properties": {"b": TEXT}, "required": ["b"], "additionalProperties": False}
    assert rewritten({**whole, "type": "object"}, dialect) == (whole, ())
    bare = {key: value for key, value in whole.items() if key != "type"}
    assert rewritten(bare, dialect) == (whole, ("type: object is added: a",))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_notes_about_a_schema_are_left_out_without_a_word(dialect):
    said = {"examples": ["x"], "$comment": "y", "deprecated": True}
    assert rewritten({**TEXT, **said}, dialect) == (TEXT, ())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_of_is_renamed_and_what_stands_beside_it_stays(dialect):
    schema = {"description": "which", "oneOf": [TEXT, {"type": "null"}], "title": "T"}
    sent, changes = rewritten(schema, dialect)
    assert sent == {"description": "which", "anyOf": [TEXT, {"type": "null"}], "title": "T"}
    assert changes == ("oneOf is sent as anyOf: a",)


def test_any_of_and_one_of_together_are_refused():
    schema = {"anyOf": [TEXT], "oneOf": [TEXT]}
    assert refusal(schema, "openai") == ("it has anyOf and oneOf side by side", "schema at a")


@pytest.mark.parametrize(("least", "is_sent"), [(0, True), (1, True), (2, False)])
def test_anthropic_takes_a_list_that_has_to_hold_one_thing_and_no_more(least, *, is_sent):
    sent, changes = rewritten({"type": "array", "items": TEXT, "minItems": least}, "anthropic")
    assert sent.get("minItems") == (least if is_sent else None)
    assert changes == (() if is_sent else ("minItems over 1 is not sent: a",))
    others = {"type": "array", "items": TEXT, "minItems": least}
    assert rewritten(others, "openai") == (others, ())


@pytest.mark.parametrize("dialect", CLOSED)
def test_a_list_has_to_say_what_it_holds(dialect):
    assert refusal({"type": "array"}, dialect) == ("it does not say what an array holds", "schema at a")
    assert rewritten({"type": "array"}, "google") == ({"type": "array"}, ())


@pytest.mark.parametrize("dialect", CLOSED)
def test_elements_one_by_one_are_refused_where_they_cannot_be_said(dialect):
    schema = {"type": "array", "prefixItems": [TEXT]}
    assert refusal(schema, dialect) == ("it has `prefixItems`", "schema at a")
    assert rewritten(schema, "google") == (schema, ())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_value_must_not_be_is_left_out_and_said_unless_it_must_not_be_anything(dialect):
    assert rewritten({**TEXT, "not": {"const": "x"}}, dialect) == (TEXT, ("not is not sent: a",))
    assert refusal({**TEXT, "not": {}}, dialect)[0] == "it has `not`"
    # Of other keywords an empty mapping says nothing.
    assert rewritten({**TEXT, "contentSchema": {}}, dialect)[0] == TEXT


@pytest.mark.parametrize("dialect", CLOSED)
def test_a_format_that_is_not_known_is_left_out_and_named(dialect):
    assert rewritten({**TEXT, "format": "date"}, dialect) == ({**TEXT, "format": "date"}, ())
    assert rewritten({**TEXT, "format": "x-iban"}, dialect) == (TEXT, ("the format `x-iban` is not sent: a",))
    assert rewritten({**TEXT, "format": "x-iban"}, "google") == ({**TEXT, "format": "x-iban"}, ())


@pytest.mark.parametrize(
    ("schema", "sent", "changes"),
    [
        ({"const": "x"}, {"enum": ["x"]}, ("const is sent as an enum of one value: a",)),
        ({"enum": ["x", 1, 0.5]}, {"enum": ["x", 1, 0.5]}, ()),
        ({"const": None}, {"type": "null"}, "types"),
        ({"enum": [1, True]}, {"anyOf": [{"enum": [1]}, {"type": "boolean"}]}, "types"),
        (
            {"enum": ["x", None, False], "type": ["string", "null", "boolean"]},
            {"anyOf": [{"enum": ["x"]}, {"type": "boolean"}, {"type": "null"}]},
            "types",
        ),
    ],
)
def test_google_has_texts_and_numbers_in_an_enum_and_types_for_the_rest(schema, sent, changes):
    if changes == "types":
        changes = ("values of an enum that are neither text nor numbers are sent as their types: a",)
    assert rewritten(schema, "google") == (sent, changes)


@pytest.mark.parametrize("value", [{"b": 1}, ["b"]])
def test_google_has_no_words_for_one_object_or_one_list(value):
    assert refusal({"enum": ["x", value]}, "google")[0] == "an enum holds objects or arrays"


@pytest.mark.parametrize("dialect", CLOSED)
def test_a_schema_without_a_type_is_refused_where_one_has_to_be_said(dialect):
    what = "it does not say of what type a value is"
    assert refusal({"description": "anything"}, dialect) == (what, "schema at a")
    assert rewritten({"description": "anything"}, "google") == ({"description": "anything"}, ())


def test_places_inside_are_named_by_the_way_there():
    short = {"type": "string", "minLength": 1}
    schema = {
        "type": "object",
        "properties": {"b": {"type": "array", "items": short}},
        "additionalProperties": short,
    }
    _, changes = rewritten(schema, "google")
    assert changes == ("minLength is not sent: a.b[], a.*",)
    assert rewritten(short, "google", where="")[1] == ("minLength is not sent: .",)
