"""GitHub's own description of its REST API, which calls and answers of the test suite are checked against."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from graphql import GraphQLSchema, build_schema, parse, validate

from evalsim.github.app import Exchange

REST = Path(__file__).resolve().parent.parent / ".venv" / "descriptions" / "github-rest.json"
GRAPHQL = REST.with_name("github.graphql")
OK = range(200, 300)
COMMON = frozenset({400, 401, 403, 404, 422})
UNIONS = frozenset({"type", "$ref", "allOf", "anyOf", "oneOf"})
MEANT_WRONG = frozenset({"{ rateLimit { nothing } }"})
"""Queries that a test makes to be refused."""


class Description:
    """The description, read; it says what is wrong with a call and its answer."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._components = _as_json_schema(spec["components"])
        self._operations = [
            (method, re.compile(_pattern(path)), operation)
            for path, methods in spec["paths"].items()
            for method, operation in methods.items()
            if method in {"get", "post", "put", "patch", "delete"}
        ]
        # Paths of words alone are meant before those with a placeholder in the same place, and of two with as
        # many the longer one: a placeholder that takes slashes would take the words after it as well.
        self._operations.sort(key=lambda each: (each[1].pattern.count("("), -len(each[1].pattern)))
        self._validators: dict[tuple[int, str], Any] = {}

    def problems(self, exchange: Exchange) -> list[str]:
        """Say what of a call, where it succeeded, and of its answer is not as GitHub describes it."""
        request, answer = exchange
        if request.path == "/graphql":
            return _query_problems(request.body) if answer.status in OK else []
        call = f"{request.method} {request.path}"
        operation = self._operation(request.method.lower(), request.path)
        if operation is None:
            return [f"{call}: GitHub has no such call"] if answer.status in OK else []
        found = []
        if answer.status in OK:
            found += self._request_problems(operation, request.query, request.body)
        found += self._answer_problems(operation, answer)
        return [f"{call}: {each}" for each in found]

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        return next(
            (
                operation
                for verb, pattern, operation in self._operations
                if verb == method and pattern.fullmatch(path)
            ),
            None,
        )

    def _request_problems(self, operation: dict[str, Any], query: dict[str, str], body: bytes) -> list[str]:
        parameters = [self._resolved(each) for each in operation.get("parameters", [])]
        known = {each["name"]: each for each in parameters if each["in"] == "query"}
        found = [f"the query {name} is unknown" for name in query if name not in known]
        for name, value in query.items():
            allowed = known.get(name, {}).get("schema", {}).get("enum")
            if allowed is not None and value not in allowed:
                found.append(f"the query {name}={value} is none of {allowed}")
        required = {name for name, each in known.items() if each.get("required")}
        found += [f"the query {name} is missing" for name in required - query.keys()]
        schema = _json_schema_of(self._resolved(operation.get("requestBody", {})))
        if body and schema is not None and not _is_bare_list_of_labels(operation, body):
            found += [f"the body: {each}" for each in self._errors(schema, json.loads(body))]
        elif operation.get("requestBody", {}).get("required") and not body:
            found.append("the body is missing")
        return found

    def _answer_problems(self, operation: dict[str, Any], answer: Any) -> list[str]:
        described = operation["responses"].get(str(answer.status))
        if described is None:
            # Tokens, permissions and limits are described for all calls at once, elsewhere.
            return [] if answer.status in COMMON else [f"no answer {answer.status} is described"]
        schema = _json_schema_of(self._resolved(described))
        kind = dict(answer.headers).get("Content-Type", "application/json")
        if schema is None or not answer.body or "raw" in kind:
            return []
        return [f"answer {answer.status}: {each}" for each in self._errors(schema, json.loads(answer.body))]

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        _, _, kind, name = value["$ref"].split("/")
        return self._components[kind][name]

    def _errors(self, schema: dict[str, Any], value: object) -> list[str]:
        key = (id(schema), "")
        if key not in self._validators:
            # The schema is held, so that its id is no other's meanwhile.
            whole = {**_as_json_schema(schema), "components": self._components}
            self._validators[key] = schema, jsonschema_rs.Draft7Validator(whole)
        errors = self._validators[key][1].iter_errors(value)
        return [f"{'.'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors][:5]


def _is_bare_list_of_labels(operation: dict[str, Any], body: bytes) -> bool:
    """Whether labels come as PyGithub sends them: GitHub takes a bare list too, but does not say so."""
    return operation["operationId"] == "issues/add-labels" and body.startswith(b"[")


@cache
def graphql_schema() -> GraphQLSchema:
    """Read GitHub's own schema, once for a process."""
    return build_schema(GRAPHQL.read_text("utf-8"), assume_valid=True, no_location=True)


def _query_problems(body: bytes) -> list[str]:
    query = json.loads(body)["query"]
    if query in MEANT_WRONG:
        return []
    return [f"POST /graphql: {error.message}" for error in validate(graphql_schema(), parse(query))]


@cache
def description() -> Description:
    """Read the description, once for a process; raises FileNotFoundError."""
    return Description(json.loads(REST.read_text("utf-8")))


def _pattern(path: str) -> str:
    parts = re.split(r"\{[^}]+\}", path)
    # A file's path or a reference may hold slashes; nothing else may.
    ends_in_path = path.endswith(("{path}", "{ref}", "{branch}", "{tree_sha}"))
    joined = "([^/]+)".join(re.escape(part) for part in parts)
    return joined.removesuffix("([^/]+)") + "(.+)" if ends_in_path else joined


def _json_schema_of(described: dict[str, Any]) -> dict[str, Any] | None:
    return described.get("content", {}).get("application/json", {}).get("schema")


def _as_json_schema(value: Any) -> Any:
    """Turn OpenAPI 3.0's `nullable` into what JSON Schema has for it."""
    if isinstance(value, list):
        return [_as_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    converted = {name: _as_json_schema(each) for name, each in value.items() if name != "nullable"}
    if value.get("nullable") is True and UNIONS & value.keys():
        return {"anyOf": [converted, {"type": "null"}]}
    return converted
