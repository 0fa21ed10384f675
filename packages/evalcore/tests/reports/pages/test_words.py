"""The sentences that pages begin with."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.made_sites import CASES, MODELS, VERSIONS, empty, history_of, one_model, site_of, small, tied

from evalcore.reports.dashboard.site import CaseCell, CaseLine, FieldCell, FieldLine, Gap
from evalcore.reports.pages.words import failure_sentence, gap_sentence, models_sentence, overview_sentence


def gap(kind: str, component: str = "memo", model: str | None = None) -> Gap:
    return Gap(
        kind=kind,  # type: ignore[arg-type]
        component=component,
        component_page=f"components/{component}.html",
        component_version="1.0.0",
        model=model,
        sentence="",
        starts=(),
    )


def case(name: str, accuracy: float | None, noise: float | None = None) -> CaseLine:
    cell = CaseCell(accuracy=accuracy, spread=noise, lowest=accuracy, highest=accuracy, replies=1)
    return CaseLine(
        case=name,
        sha256="0" * 64,
        validated_against_version=None,
        is_stale=False,
        accuracy=accuracy,
        noise=noise,
        cells=(cell,),
    )


def field(name: str, accuracy: float) -> FieldLine:
    return FieldLine(field=name, accuracy=accuracy, cells=(FieldCell(accuracy, None, None, None),))


def failures(cases: list[CaseLine], fields: list[FieldLine]) -> object:
    found = small().components[0].failures
    assert found is not None
    return structs.replace(found, cases=tuple(cases), fields=tuple(fields))


@pytest.mark.parametrize(
    ("cases", "fields", "sentence"),
    [
        (
            [case("a", 0.5, 0.05), case("b", 0.9, 0.2)],
            [field("x", 0.4), field("y", 0.6)],
            (
                "The hardest case is a (50.0 % over all models); the hardest fields are x (40.0 %) and "
                "y (60.0 %); the noisiest case is b (± 20.0 points)."
            ),
        ),
        ([case("a", 0.5)], [field("x", 1.0)], "The hardest case is a (50.0 % over all models)."),
        ([case("a", 1.0)], [field("x", 0.4)], "The hardest field is x (40.0 %)."),
        ([case("a", 1.0)], [], "Nothing: every model has every case right."),
        ([], [], "No complete run says where models fail."),
    ],
)
def test_where_models_fail(cases: list[CaseLine], fields: list[FieldLine], sentence: str) -> None:
    assert failure_sentence(failures(cases, fields)) == sentence  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gaps", "sentence"),
    [
        (
            [],
            "Everything is evaluated: every component, at its present version, with every model.",
        ),
        ([gap("component")], "1 component has never been evaluated."),
        (
            [gap("component"), gap("component"), gap("version"), gap("version")],
            "2 components have never been evaluated; 2 components not at their present version.",
        ),
        (
            [gap("version"), gap("model", model="m"), gap("model", "other", model="m")],
            "1 component not at its present version; 1 model of models.yaml not everywhere (2 runs to do).",
        ),
    ],
)
def test_what_was_never_evaluated(gaps: list[Gap], sentence: str) -> None:
    assert gap_sentence(gaps) == sentence


def test_how_much_there_is() -> None:
    assert overview_sentence(empty()) == "There is nothing to show yet."
    assert overview_sentence(one_model()).startswith(
        "1 of 1 component evaluated at the present version, with 1 model:"
    )


def test_which_models_are_best_most_often() -> None:
    assert models_sentence(empty()) == "No model is evaluated at the present version of any component."
    assert models_sentence(one_model()) == (
        f"{MODELS[0]} is best or level with the best at 1 component, more than any other."
    )
    assert models_sentence(tied()) == "12 models are best or level with the best at 1 component each."
    two = site_of({"memo": history_of(MODELS[:2], CASES, VERSIONS[2:], tie=True)})
    assert "are each best or level with the best at 1 component" in models_sentence(two)
