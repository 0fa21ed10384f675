"""The references inside of a schema: where they lead, and where they lead back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from evalcore.structs import JsonValue


def redirected(schema: JsonValue, ref: str) -> JsonValue:
    """Return a schema whose references to the root go to `ref`."""
    if isinstance(schema, list):
        return [redirected(part, ref) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: ref if key == "$ref" and value == "#" else value if key in _DATA else redirected(value, ref)
        for key, value in schema.items()
    }


_DATA: Final = frozenset({"enum", "const", "default", "examples"})
"""Keywords whose values are no schemas."""


def refers_to(schema: JsonValue, ref: str) -> bool:
    """Whether anything in a schema refers to `ref`."""
    return any(found == ref for found in references(schema))


def references(schema: JsonValue) -> Iterator[str]:
    """Yield the references anywhere in a schema."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if isinstance(found := node.get("$ref"), str):
                yield found
            waiting.extend(value for key, value in node.items() if key not in _DATA)


def cyclic(places: Mapping[str, JsonValue]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each place that refers back to itself, with the places of its circle."""
    edges = {
        place: {ref for ref in references(_body(part)) if ref in places} for place, part in places.items()
    }
    for component in _circles(edges):
        for place in component:
            yield place, component


def _body(part: JsonValue) -> JsonValue:
    return {key: value for key, value in part.items() if key != "$defs"} if isinstance(part, dict) else part


def _circles(edges: Mapping[str, set[str]]) -> list[frozenset[str]]:  # noqa: C901 - one algorithm
    """Return the strongly connected components that hold a circle (Tarjan 1972), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[frozenset[str]] = []
    for start in edges:
        if start in index:
            continue
        # In one order, so that the changes that are recorded are the same bytes everywhere.
        work = [(start, iter(sorted(edges[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, left = work[-1]
            following = next(left, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = set()
                    while node not in component:
                        component.add(member := stack.pop())
                        on_stack.discard(member)
                    if len(component) > 1 or node in edges[node]:
                        found.append(frozenset(component))
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(sorted(edges[following]))))
            elif following in on_stack:
                low[node] = min(low[node], index[following])
    return found
