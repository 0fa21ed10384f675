"""What each provider answered, model by model: who can be evaluated now, and why not."""

from __future__ import annotations

import pytest

from evalcli.reports.availability import availability_object, availability_table, is_all_served
from evalcore.clients.interface import Served, ServedModel
from evalcore.errors import ProviderRefused, ProviderUnreachable
from evalcore.library.models import Model, NotConfigured

MODELS = [Model(id="big", provider="mindrouter")]
SERVED = Served(version="1", models={"big": ServedModel(id="big", context_length=8192, quantization="q4")})
NOT_SERVED = "it does not serve it now, or does not know it"


def row(answer):
    (found,) = availability_table(MODELS, {"mindrouter": answer}).rows
    return found


@pytest.mark.parametrize(
    ("answer", "cells"),
    [
        (SERVED, ("yes", "ok", "yes", "8192", "q4", "")),
        (Served(version=None, models={"big": ServedModel(id="big")}), ("yes", "ok", "yes", "-", "-", "")),
        (
            Served(version=None, models={}),
            ("yes", "ok", "no", "-", "-", f"{NOT_SERVED}; it serves none"),
        ),
        (
            Served(version=None, models={"b": ServedModel(id="b"), "a": ServedModel(id="a")}),
            ("yes", "ok", "no", "-", "-", f"{NOT_SERVED}; it serves a, b"),
        ),
        (
            Served(version=None, models={"maker/big": ServedModel(id="maker/big")}),
            ("yes", "ok", "no", "-", "-", f"{NOT_SERVED}; did you mean `maker/big`?"),
        ),
        (NotConfigured("MINDROUTER_API_KEY is not set"), ("-",) * 5 + ("MINDROUTER_API_KEY is not set",)),
        (
            ProviderUnreachable("does not answer", where="https://host"),
            ("no", "-", "-", "-", "-", "https://host: does not answer"),
        ),
        (
            ProviderRefused("the key is not accepted"),
            ("yes", "refused", "-", "-", "-", "the key is not accepted"),
        ),
    ],
)
def test_each_answer_has_its_row(answer, cells):
    assert row(answer) == ("big", "mindrouter", *cells)


def test_why_a_provider_does_not_answer_is_said_at_its_first_model_alone():
    models = [*MODELS, Model(id="small", provider="mindrouter")]
    gone = {"mindrouter": ProviderUnreachable("does not answer", where="https://host")}
    notes = [cells[-1] for cells in availability_table(models, gone).rows]
    assert notes == ["https://host: does not answer", "as big"]


def test_json_is_the_table_with_every_note_whole():
    models = [*MODELS, Model(id="small", provider="mindrouter"), Model(id="opus", provider="anthropic")]
    answers = {"mindrouter": SERVED, "anthropic": NotConfigured("ANTHROPIC_API_KEY is not set")}
    big, small, opus = availability_object(models, answers)
    assert big == {
        "model": "big",
        "provider": "mindrouter",
        "reachable": True,
        "key": "ok",
        "served": True,
        "context": 8192,
        "quantization": "q4",
        "note": None,
    }
    assert (small["served"], small["context"]) == (False, None)
    assert (opus["reachable"], opus["note"]) == (None, "ANTHROPIC_API_KEY is not set")
    gone = ProviderUnreachable("does not answer", where="https://host")
    shown = availability_object(models[:2], {"mindrouter": gone})
    assert [one["note"] for one in shown] == ["https://host: does not answer"] * 2


def test_numbers_are_aligned_and_every_row_is_as_wide_as_the_heading():
    table = availability_table(MODELS, {"mindrouter": SERVED})
    assert table.numeric == {"context"}
    assert len(table.headings) == len(table.rows[0])
    assert availability_table([], {}).rows == ()


@pytest.mark.parametrize(
    ("answer", "is_so"),
    [
        (SERVED, True),
        (NotConfigured("no key"), True),
        (Served(version=None, models={}), False),
        (ProviderUnreachable("gone"), False),
        (ProviderRefused("no"), False),
    ],
)
def test_all_are_served_where_every_configured_one_is(answer, is_so):
    assert is_all_served(MODELS, {"mindrouter": answer}) is is_so
    assert is_all_served([], {})


def test_models_are_judged_by_their_own_provider():
    models = [*MODELS, Model(id="opus", provider="anthropic")]
    answers = {"mindrouter": SERVED, "anthropic": Served(version=None, models={})}
    assert not is_all_served(models, answers)
    assert [cells[4] for cells in availability_table(models, answers).rows] == ["yes", "no"]
