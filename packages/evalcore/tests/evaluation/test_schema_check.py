"""A schema is compiled within limits, whatever it holds, and apart from the service where it is large."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evalcore.errors import ComponentError
from evalcore.evaluation import schema_check
from evalcore.evaluation.schema_check import check_schema
from evalcore.library.schema import bundle_schema

WHERE = "components/a/schema.json"


def chain(length: int) -> dict[str, Any]:
    links = {f"d{at}": {"$ref": f"#/$defs/d{at + 1}"} for at in range(length)}
    return {"$defs": links | {f"d{length}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def test_a_chain_of_120_000_references_is_refused_when_it_is_read() -> None:
    data = json.dumps(chain(120_000)).encode()
    with pytest.raises(ComponentError, match="over 20,000 values"):
        bundle_schema(WHERE, "#", lambda path: data)  # noqa: ARG005


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every schema counts as large."""
    monkeypatch.setattr(schema_check, "FEW_NODES", 0)


@pytest.mark.parametrize("is_large", [False, True])
def test_a_schema_is_compiled_and_its_mistake_named(is_large: bool, monkeypatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(schema_check, "FEW_NODES", 0 if is_large else 100)
    check_schema({"type": "object"}, WHERE)
    with pytest.raises(ComponentError, match="not a valid JSON Schema") as refused:
        check_schema({"type": "nothing"}, WHERE)
    assert refused.value.where == WHERE


@pytest.mark.usefixtures("apart")
def test_compiling_has_a_limit_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_check, "SECONDS", 0.01)
    with pytest.raises(ComponentError, match="takes over 0 s to compile"):
        check_schema(chain(9_000), WHERE)


@pytest.mark.usefixtures("apart")
def test_a_process_that_dies_of_a_schema_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ComponentError, match="or ends the validator"):
        check_schema({}, WHERE)


def test_a_pattern_that_grows_when_it_is_compiled_is_refused() -> None:
    with pytest.raises(ComponentError, match="not a valid JSON Schema"):
        check_schema({"pattern": "((a{1000}){1000}){1000}"}, WHERE)
