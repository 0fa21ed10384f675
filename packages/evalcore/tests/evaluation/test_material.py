"""A component is read with its cases, and a scoring policy that cannot be used is refused with them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evalcore.errors import CaseError, ComponentError
from evalcore.evaluation.material import load_material, require_input_text
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import Document
from evalcore.library.reading import ReadingEntry
from evalsim.testing import make_case, make_component

FRONT = "---\nname: memo\nversion: 1.0.0\n---\n## Prompt\nSay what it is.\n"
FOLDER = "components/memo"


class Library:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("prompt.md", FRONT)
        self.write("schema.json", '{"type": "object", "properties": {"kind": {"type": "string"}}}')

    def write(self, path: str, text: str) -> None:
        file = self.root / FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def case(self, name: str, expected: str = '{"kind": "memo"}') -> None:
        self.write(f"evals/cases/{name}/input.md", "An input.")
        self.write(f"evals/cases/{name}/expected.json", expected)

    def policy(self, text: str) -> None:
        self.write("evals/scoring.yaml", text)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_component_comes_with_its_cases_and_those_that_are_skipped(library: Library) -> None:
    library.case("b")
    library.case("a")
    library.case("broken", "no JSON")
    library.policy("fields: {kind: exact}")
    material = load_material(FolderCheckout(library.root), None, "memo")
    assert material.component.policy == "fields: {kind: exact}"
    assert [case.name for case in material.cases] == ["a", "b"]
    assert [case.case for case in material.skipped_cases] == ["broken"]


def test_a_policy_that_names_no_field_of_schema_or_cases_is_refused(library: Library) -> None:
    library.case("a")
    library.policy("fields: {nowhere: exact}")
    with pytest.raises(ComponentError, match=r"scoring\.yaml:1: there is no field `nowhere`"):
        load_material(FolderCheckout(library.root), None, "memo")


def test_a_field_that_only_an_expected_answer_has_may_be_named(library: Library) -> None:
    library.case("a", '{"kind": "memo", "extra": 1}')
    library.policy("fields: {extra: exact}")
    assert load_material(FolderCheckout(library.root), None, "memo").component.policy is not None


def test_a_policy_that_cannot_be_read_comes_before_what_is_wrong_with_the_cases(library: Library) -> None:
    library.policy("fields: [")
    with pytest.raises(ComponentError, match=r"scoring\.yaml"):
        load_material(FolderCheckout(library.root), None, "memo")


def test_without_a_usable_case_there_is_nothing_to_evaluate(library: Library) -> None:
    library.policy("fields: {kind: exact}")
    with pytest.raises(CaseError, match="has no cases"):
        load_material(FolderCheckout(library.root), None, "memo")


def test_what_a_component_says_of_its_documents_comes_with_it(library: Library) -> None:
    library.case("a")
    library.write("evals/inputs.yaml", "reader: text\n")
    assert load_material(FolderCheckout(library.root), None, "memo").inputs == ReadingEntry(reader="text")
    library.write("evals/inputs.yaml", "reader: ocr\n")
    with pytest.raises(ComponentError, match=r"evals/inputs\.yaml:1"):
        load_material(FolderCheckout(library.root), None, "memo")


def test_a_policy_that_compares_with_the_input_needs_a_text() -> None:
    policy = "fields:\n  kind: {compare: contained_in_input}\n"
    component = make_component(policy=policy, policy_where="evals/scoring.yaml")
    document = Document("input.pdf", "0" * 64, 9, "x/input.pdf")
    for reader, is_refused in (("none", True), (None, True), ("text", False), ("mindrouter", False)):
        case = make_case(document=msgspec.structs.replace(document, reader=reader))
        if is_refused:
            with pytest.raises(ComponentError, match=r"evals/scoring\.yaml:2: compares with the input"):
                require_input_text(component, [case])
        else:
            require_input_text(component, [case])
    require_input_text(make_component(), [make_case(document=document)])
