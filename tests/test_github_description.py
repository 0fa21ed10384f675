"""The simulated GitHub is one as GitHub describes it, and so is what the check of the whole suite finds."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from tests import github_description
from tests.github_description import description, graphql_schema

from evalsim.asgi import json_answer
from evalsim.github.app import Exchange
from evalsim.github.graphql import SCHEMA
from evalsim.github.request import Request
from evalsim.github.rest import REPOSITORY_ROUTES


@pytest.fixture(autouse=True)
def _descriptions_are_there() -> None:
    if github_description.REST.exists() and github_description.GRAPHQL.exists():
        return
    if os.environ.get("EVALUATOR_REQUIRE") == "all":
        pytest.fail("GitHub's descriptions are required here: run .ci/fetch-descriptions .venv/descriptions")
    pytest.skip("needs GitHub's descriptions, which `make test` fetches where npm is there")


def call(
    method: str, path: str, body: object = None, status: int = 200, answer: object = None, **query: str
) -> list[str]:
    data = b"" if body is None else json.dumps(body).encode()
    request = Request(
        method=method, path=path, query=query, authorization="", body=data, web="http://x", api="http://x"
    )
    return description().problems(Exchange(request, json_answer(status, answer)))


LABELS = "/repos/o/r/labels"
LABEL = {
    "id": 1, "node_id": "x", "url": "https://x", "name": "n", "color": "f", "description": None,
    "default": False,
}  # fmt: skip


def test_what_is_as_described_has_no_problem() -> None:
    assert call("POST", LABELS, {"name": "n"}, 201, LABEL) == []
    assert call("GET", LABELS, answer=[LABEL], per_page="5") == []
    assert call("POST", LABELS, {}, 422, {"message": "no", "documentation_url": "https://x"}) == []


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        (lambda: call("GET", "/repos/o/r/no-such-thing"), "GitHub has no such call"),
        (lambda: call("GET", LABELS, answer=[LABEL], colour="red"), "the query colour is unknown"),
        (lambda: call("GET", "/repos/o/r/pulls", answer=[], state="merged"), "state=merged is none of"),
        (lambda: call("POST", LABELS, {"color": "f"}, 201, LABEL), '"name" is a required property'),
        (lambda: call("POST", LABELS, None, 201, LABEL), "the body is missing"),
        (lambda: call("POST", LABELS, {"name": "n"}, 201, {"name": "n"}), '"id" is a required property'),
        (lambda: call("POST", LABELS, {"name": "n"}, 201, LABEL | {"name": None}), "null is not of type"),
        (lambda: call("POST", LABELS, {"name": "n"}, 418, {}), "no answer 418 is described"),
        (lambda: call("POST", "/graphql", {"query": "{ viewer { logn } }"}), "Cannot query field 'logn'"),
    ],
)
def test_what_is_not_as_described_is_found(problems: Any, said: str) -> None:
    assert any(said in each for each in problems()), problems()


def test_every_route_of_the_simulation_is_one_of_githubs() -> None:
    for method, pattern, _, _ in REPOSITORY_ROUTES:
        path = f"/repos/o/r{pattern}".replace("refs?", "ref").replace("([0-9a-f]{40})", "a" * 40)
        path = path.replace(r"(\d+)", "7").replace("(.+)", "x").replace("([^/]+)", "x")
        assert description()._operation(method.lower(), path) is not None, f"{method} {path}"


def test_the_types_of_the_simulation_are_an_excerpt_of_githubs() -> None:
    theirs = graphql_schema().type_map
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        assert name in theirs
        for field, described in getattr(kind, "fields", {}).items():
            known = theirs[name].fields[field]
            assert str(described.type) == str(known.type), f"{name}.{field}"
            assert {a: str(d.type) for a, d in getattr(described, "args", {}).items()}.items() <= {
                a: str(d.type) for a, d in getattr(known, "args", {}).items()
            }.items()
