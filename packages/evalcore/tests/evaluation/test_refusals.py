"""What ends a model's run at once, and the sentence that says what to do about it."""

from __future__ import annotations

from typing import get_args

import pytest

from evalcore.clients.failures import (
    Code,
    Failure,
    parameter_refused,
    schema_refused,
    schema_too_large,
    unknown_model,
)
from evalcore.clients.reply import CallError
from evalcore.evaluation.refusals import SCHEMA_TOO_LARGE, refused_run

ENDING = {"parameter_refused", "schema_refused", "schema_too_large", "unknown_model"}


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (parameter_refused("top_k", "no"), "take it out of the model's `params` in models.yaml"),
        (schema_refused("no"), "structured_output to json_object or none"),
        (schema_too_large("no"), "make the schema smaller"),
        (unknown_model("no"), "evalcli models check"),
    ],
)
def test_the_sentence_names_the_model_the_reason_and_the_remedy(failure: Failure, remedy: str) -> None:
    sentence = refused_run("claude", failure.error)
    assert sentence is not None
    assert sentence.startswith(f"claude: {failure.message}; ")
    assert remedy in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("code", get_args(Code))
def test_a_failure_that_may_concern_one_call_alone_does_not_end_the_run(code: Code) -> None:
    error = CallError(fault="infrastructure", code=code, message="x")
    assert (refused_run("m", error) is not None) == (code in ENDING)


def test_a_call_without_a_failure_ends_nothing() -> None:
    assert refused_run("m", None) is None


def test_a_schema_that_is_too_large_goes_by_the_code_that_clients_give_it() -> None:
    assert schema_too_large("x").code == SCHEMA_TOO_LARGE
