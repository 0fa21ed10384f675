from __future__ import annotations

import pytest

from evalcli.evaluation.plan import SelectedModels, SkippedModel, select_models, skip_warnings
from evalcore.errors import ConfigurationError
from evalcore.library.models import Model, ModelsFile, Provider

FILE = ModelsFile(
    providers={
        "near": Provider("near", "openai", "${NEAR_URL}/v1", "NEAR_KEY"),
        "open": Provider("open", "openai", "http://localhost:1", None),
        "other": Provider("other", "anthropic", "https://other.invalid", "OTHER_KEY"),
    },
    models=(Model("a", "near"), Model("b", "open"), Model("c", "other"), Model("d", "near")),
)


def _select(*named: str, **environ: str) -> SelectedModels:
    return select_models(FILE, named, environ, where="models.yaml")


def _ids(selection: SelectedModels) -> list[str]:
    return [model.id for model in selection.models]


def test_every_model_whose_key_is_present_is_chosen() -> None:
    selection = _select(NEAR_URL="http://near", NEAR_KEY="k")
    assert _ids(selection) == ["a", "b", "d"]
    assert selection.endpoints["near"].base_url == "http://near"


def test_an_unset_key_skips_its_models_and_says_which_variable() -> None:
    selection = _select(NEAR_URL="http://near", NEAR_KEY="")
    assert _ids(selection) == ["b"]
    assert [(item.model, "NEAR_KEY" in item.reason) for item in selection.skipped] == [
        ("a", True),
        ("c", False),
        ("d", True),
    ]


def test_named_models_are_chosen_once_each_in_the_order_named() -> None:
    assert _ids(_select("d", "b", "d", NEAR_URL="http://near", NEAR_KEY="k")) == ["d", "b"]


def test_an_unknown_name_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ConfigurationError, match="known: a, b, c, d"):
        _select("x")


def test_a_reason_is_said_once_for_all_the_models_that_it_keeps_out() -> None:
    skipped = [SkippedModel(f"m{number}", "p", "no key") for number in range(7)]
    assert list(skip_warnings([*skipped, SkippedModel("other", "q", "no address")])) == [
        "7 models are skipped (m0, m1, m2, m3, m4 and 2 more): no key",
        "model other is skipped: no address",
    ]
