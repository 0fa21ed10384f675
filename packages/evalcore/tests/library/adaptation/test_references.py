"""The references inside of a schema, and the circles that they make."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalcore.library.adaptation.references import cyclic, redirected, references, refers_to


def test_references_are_found_at_any_depth() -> None:
    schema = {
        "$ref": "#",
        "items": [{"$ref": "#/$defs/a"}],
        "properties": {"x": {"not": {"$ref": "#/$defs/b"}}},
    }
    assert sorted(references(schema)) == ["#", "#/$defs/a", "#/$defs/b"]
    assert refers_to(schema, "#/$defs/a")
    assert not refers_to(schema, "#/$defs/c")


def test_values_that_look_like_references_are_none() -> None:
    data = {"$ref": "#"}
    assert list(references({"enum": [data], "const": data, "default": data, "examples": [data]})) == []
    assert list(references({"$ref": 7, "properties": {"$ref": {"type": "string"}}})) == []


def test_references_to_the_root_are_redirected_and_nothing_else_is() -> None:
    schema = {"items": {"$ref": "#"}, "not": {"$ref": "#/$defs/a"}, "const": {"$ref": "#"}, "title": "#"}
    assert redirected(schema, "#/$defs/root") == schema | {"items": {"$ref": "#/$defs/root"}}


def test_a_place_that_refers_to_itself_is_a_circle_and_one_that_leads_into_it_is_none() -> None:
    places = {
        "#/$defs/tree": {"items": {"$ref": "#/$defs/tree"}},
        "#/$defs/user": {"$ref": "#/$defs/tree"},
        "#/$defs/plain": {"type": "string"},
    }
    assert dict(cyclic(places)) == {"#/$defs/tree": frozenset({"#/$defs/tree"})}


def test_what_stands_under_defs_of_a_place_is_another_place() -> None:
    assert dict(cyclic({"#": {"$defs": {"a": {"$ref": "#"}}, "type": "object"}})) == {}


def _reachable(edges: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        if (place := waiting.pop()) not in seen:
            seen.add(place)
            waiting.extend(edges[place])
    return seen


@given(st.integers(1, 7).flatmap(lambda n: st.lists(st.sets(st.integers(0, n - 1)), min_size=n, max_size=n)))
def test_a_circle_is_all_places_that_reach_each_other(targets: list[set[int]]) -> None:
    edges = {str(at): {str(one) for one in some} for at, some in enumerate(targets)}
    places = {place: {"anyOf": [{"$ref": ref} for ref in sorted(some)]} for place, some in edges.items()}
    reach = {place: _reachable(edges, place) for place in edges}
    assert dict(cyclic(places)) == {
        place: frozenset(other for other in edges if other in reach[place] and place in reach[other])
        for place in edges
        if place in reach[place]
    }


def test_a_circle_through_thousands_of_places_needs_no_recursion() -> None:
    last = 20_000
    places = {str(at): {"$ref": str((at + 1) % last)} for at in range(last)}
    assert len(dict(cyclic(places))) == last
