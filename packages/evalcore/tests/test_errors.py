"""Every error says what, where and what to do, in one line, whatever it quotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore import errors
from evalcore.errors import (
    MOST_PROBLEMS,
    CaseError,
    CheckoutError,
    ComponentError,
    ConfigurationError,
    EvaluatorError,
    InputError,
    LeaderboardError,
    ModelError,
    Problems,
    ProviderRefused,
    ProviderUnreachable,
    RepositoryError,
    ScoringError,
    StorageError,
    UnknownComponent,
)

CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, EvaluatorError)
]


def test_a_line_is_where_what_and_what_to_do():
    error = ConfigurationError("the key `x` is unknown", where="models.yaml:3", hint="remove it")
    assert error.line == str(error) == "models.yaml:3: the key `x` is unknown; remove it"


@pytest.mark.parametrize(
    ("fields", "line"),
    [({}, "what"), ({"where": "here"}, "here: what"), ({"hint": "do"}, "what; do")],
)
def test_what_is_not_known_is_left_out(fields, line):
    assert EvaluatorError("what", **fields).line == line


@given(st.text(), st.text(), st.text())
def test_nothing_that_is_quoted_breaks_the_line_or_moves_a_cursor(what, where, hint):
    line = EvaluatorError(what, where=where, hint=hint).line
    assert line.isprintable()
    assert line == " ".join(line.split())


def test_text_that_turns_around_and_escapes_are_taken_out():
    assert EvaluatorError("a\u202eb\x1b[31mc\nd").line == "a b [31mc d"


def test_codes_are_stable_and_of_their_own():
    assert {kind.__name__: kind.code for kind in CLASSES} == {
        "EvaluatorError": "error",
        "InputError": "invalid_input",
        "ConfigurationError": "invalid_configuration",
        "ComponentError": "unusable_component",
        "UnknownComponent": "unknown_component",
        "CaseError": "no_usable_case",
        "CheckoutError": "unusable_file",
        "LeaderboardError": "invalid_leaderboard",
        "ModelError": "provider_error",
        "ProviderUnreachable": "provider_unreachable",
        "ProviderRefused": "provider_refused",
        "ScoringError": "scoring",
        "StorageError": "storage",
        "RepositoryError": "repository",
    }


def test_only_a_provider_that_is_not_reached_is_worth_another_attempt():
    assert [kind for kind in CLASSES if kind.retryable] == [ProviderUnreachable]


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (UnknownComponent, errors.ComponentError),
        (CaseError, InputError),
        (CheckoutError, InputError),
        (LeaderboardError, InputError),
        (ProviderRefused, ModelError),
        (ScoringError, EvaluatorError),
        (StorageError, EvaluatorError),
        (RepositoryError, EvaluatorError),
    ],
)
def test_errors_are_kinds_of_each_other(kind, parent):
    assert issubclass(kind, parent)


def test_the_tree_in_the_docstring_names_every_class():
    assert {kind.__name__ for kind in CLASSES} <= set(re.findall(r"\w+", errors.__doc__))


def test_several_errors_of_one_file_are_told_together_in_the_order_of_its_lines():
    problems = Problems(ConfigurationError)
    with problems:
        raise ConfigurationError("b", where="f.yaml:10", hint="mend b")
    with problems:
        problems.add([ConfigurationError("a", where="f.yaml:9", hint="mend a")])
    with problems:
        raise ConfigurationError("a", where="f.yaml:9", hint="mend a")
    with pytest.raises(ConfigurationError) as caught:
        problems.end()
    assert caught.value.lines == ("f.yaml:9: a; mend a", "f.yaml:10: b; mend b")
    assert caught.value.line == "f.yaml:9: a; mend a; line 10: b; mend b"


def test_other_errors_are_not_collected_and_none_is_none():
    problems = Problems(ConfigurationError)
    with pytest.raises(StorageError), problems:
        raise StorageError("full")
    problems.end()


def test_of_many_mistakes_in_one_file_the_first_are_told_and_the_others_counted():
    problems = Problems(ComponentError)
    for number in reversed(range(1, 3001)):
        with problems:
            raise ComponentError("is wrong", where=f"models.yaml:{number}", hint="mend it")
    with pytest.raises(ComponentError) as raised:
        problems.end()
    lines = raised.value.lines
    assert len(lines) == MOST_PROBLEMS + 1
    assert (lines[0], lines[-1]) == ("models.yaml:1: is wrong; mend it", "and 2,980 more")
    assert raised.value.line.endswith("; line 20: is wrong; mend it; and 2,980 more")
