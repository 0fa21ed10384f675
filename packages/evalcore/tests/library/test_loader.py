"""Reading a prompt library and its data sets from real files, and from commits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from evalcore.errors import CaseError, ComponentError, ConfigurationError, UnknownComponent
from evalcore.formats.strict_json import parse_json, sha256_of
from evalcore.library.cases import load_cases
from evalcore.library.checkout import CommitCheckout, FolderCheckout
from evalcore.library.component import Case, Component, SkippedCase
from evalcore.library.loader import (
    component_state,
    list_components,
    load_component,
    load_models,
    load_models_file,
)
from evalcore.library.schema import make_validator
from evalsim.testing import git

SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}}


class Library:
    """A prompt library under construction, with its data sets beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "library"
        self.data = root / "data"
        self.component("memo")

    def write(self, path: str, content: str | bytes | dict[str, Any] | list[Any]) -> None:
        self._write(self.root / path, content)

    def write_data(self, path: str, content: str | bytes | dict[str, Any] | list[Any]) -> None:
        self._write(self.data / path, content)

    @staticmethod
    def _write(path: Path, content: str | bytes | dict[str, Any] | list[Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content) if isinstance(content, dict | list) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def component(self, slug: str) -> None:
        front = f"---\nname: {slug}\nversion: 1.0.0\ncategory: demo\n---\n"
        self.write(f"components/{slug}/prompt.md", f"{front}About.\n## Prompt\nSay what {slug} it is.\n")

    def case(self, name: str, expected: Any = None, slug: str = "memo") -> None:
        self.write(f"components/{slug}/evals/cases/{name}/input.md", f"input of {name}")
        self.write(f"components/{slug}/evals/cases/{name}/expected.json", expected or {"kind": name})

    def load(self, slug: str = "memo") -> Component:
        return load_component(FolderCheckout(self.root), FolderCheckout(self.data), slug)

    def cases(self, slug: str = "memo") -> tuple[tuple[Case, ...], tuple[SkippedCase, ...]]:
        return load_cases(FolderCheckout(self.root), FolderCheckout(self.data), self.load(slug))

    def reason(self, name: str) -> str:
        return next(case.reason for case in self.cases()[1] if case.case == name)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


@pytest.fixture
def json_library(library: Library) -> Library:
    library.write("components/memo/schema.json", SCHEMA)
    library.case("fine")
    return library


def catalog(slug: str, **output: Any) -> dict[str, Any]:
    return {"components": [{"slug": slug, "contracts": {"output": output}}]}


# Components


def test_component_is_read_with_all_that_decides_about_it(json_library: Library) -> None:
    component = json_library.load()
    assert component.slug == component.name == "memo"
    assert (component.version, component.category) == ("1.0.0", "demo")
    assert component.prompt == "Say what memo it is."
    assert component.prompt_sha256 == hashlib.sha256(component.prompt.encode()).hexdigest()
    assert component.output == "json"
    assert component.schema == SCHEMA
    assert component.schema_sha256 == sha256_of(SCHEMA)
    assert component.policy is component.policy_where is component.policy_sha256 is None


def test_component_that_the_catalog_lacks_is_markdown_without_a_schema(library: Library) -> None:
    library.write("component_catalog.json", catalog("other", format="json_array"))
    component = library.load()
    assert component.output == "markdown"
    assert component.schema is component.schema_sha256 is None


def test_catalog_leads_to_a_siblings_schema(library: Library) -> None:
    shared = {
        "$id": "https://example.org/s",
        "$defs": {"input": {}, "output": {"type": "array", "items": SCHEMA}},
    }
    library.write("components/base/schema.json", shared)
    path, points = "components/base/schema.json", ["#/$defs/input", "#/$defs/output"]
    entry = catalog("memo", format="json_array", schema_path=path, schema_entrypoints=points)
    library.write("component_catalog.json", entry)
    component = library.load()
    assert component.output == "json_array"
    assert component.schema == {"type": "array", "items": SCHEMA}


def test_format_of_the_catalog_holds_over_a_schema_in_the_folder(json_library: Library) -> None:
    json_library.write("component_catalog.json", catalog("memo", format="markdown_note", schema_path=None))
    component = json_library.load()
    assert component.output == "markdown"
    assert component.schema is None
    json_library.write("component_catalog.json", catalog("memo", format=None))
    assert json_library.load().output == "json"


@pytest.mark.parametrize(
    ("slug", "hint"),
    [("memos", "did you mean `memo`?"), ("zzz", "`evalcli list`"), ("../memo", "use a-z")],
)
def test_unknown_component_is_told_with_near_names(library: Library, slug: str, hint: str) -> None:
    with pytest.raises(UnknownComponent) as error:
        library.load(slug)
    assert hint in error.value.line


@pytest.mark.parametrize("slug", ["", "Memo", ".memo", "a/b", "a" * 101, "memo\n", "..", "-x", "mémo"])
def test_slug_is_checked_before_any_path_is_made(library: Library, slug: str) -> None:
    with pytest.raises(UnknownComponent, match="not a component's name"):
        library.load(slug)


def test_components_are_listed_in_order(library: Library) -> None:
    library.component("alpha")
    (library.root / "components/Not-one").mkdir()
    assert list_components(FolderCheckout(library.root)) == ("alpha", "memo")


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("components/memo/prompt.md", b"---\nname: \xff\n---\n", "components/memo/prompt.md:2: is not UTF-8"),
        ("components/memo/prompt.md", "no front", "components/memo/prompt.md:1: has no front matter"),
        ("component_catalog.json", "{", "component_catalog.json: is not JSON"),
        ("components/memo/schema.json", "{", "components/memo/schema.json: is not JSON"),
        (
            "components/memo/schema.json",
            {"type": 7},
            "components/memo/schema.json: is not a valid JSON Schema",
        ),
        (
            "components/memo/schema.json",
            {"$ref": "../x.json"},
            "components/memo/schema.json ($ref ../x.json): is not there",
        ),
        ("component_catalog.json", catalog("memo", schema_path="../x.json"), "../x.json"),
        ("component_catalog.json", catalog("memo", schema_path="x.json"), "x.json"),
        ("components/memo/evals/scoring.yaml", b"\xff", "components/memo/evals/scoring.yaml:1: is not UTF-8"),
    ],
)
def test_component_that_cannot_be_used_is_told_with_its_file(
    library: Library, path: str, content: Any, told: str
) -> None:
    library.write(path, content)
    with pytest.raises(ComponentError) as error:
        library.load()
    assert error.value.line.startswith(told)
    assert type(error.value) is ComponentError


def test_folder_without_a_prompt_is_told(library: Library) -> None:
    library.write("components/empty/README.md", "x")
    with pytest.raises(ComponentError, match=r"components/empty/prompt\.md: is not there"):
        library.load("empty")


def test_policy_of_the_data_sets_goes_before_the_components_own(library: Library) -> None:
    library.write("components/memo/evals/scoring.yaml", "fields: {}  # own\n")
    assert library.load().policy == "fields: {}  # own\n"
    assert library.load().policy_where == "components/memo/evals/scoring.yaml"
    library.write_data("memo/scoring.yaml", "fields: {}  # data\n")
    component = library.load()
    assert (component.policy, component.policy_where) == (
        "fields: {}  # data\n",
        "evaluation-data-sets/memo/scoring.yaml",
    )
    assert component.policy_sha256 == hashlib.sha256(b"fields: {}  # data\n").hexdigest()


# Cases


def test_cases_come_in_the_order_of_their_names(json_library: Library) -> None:
    for name in ("z", "a", "m"):
        json_library.case(name)
    cases, skipped = json_library.cases()
    assert [case.name for case in cases] == ["a", "fine", "m", "z"]
    assert skipped == ()


def test_case_holds_its_texts_and_their_fingerprint(json_library: Library) -> None:
    json_library.write("components/memo/evals/cases/fine/metadata.yaml", "validated_against_version: 1.10\n")
    (case,), _ = json_library.cases()
    assert (case.input, case.expected) == ("input of fine", '{"kind": "fine"}')
    assert case.sha256 == hashlib.sha256(b'input of fine\0{"kind": "fine"}').hexdigest()
    assert case.validated_against_version == "1.10"


def test_first_place_that_has_a_case_of_that_name_counts(json_library: Library) -> None:
    for name in ("one", "two", "three"):
        json_library.case(name, {"kind": "library"})
    for name in ("one", "two"):
        json_library.write_data(f"memo/cases/{name}/input.txt", "x")
        json_library.write_data(f"memo/cases/{name}/expected.json", {"kind": "nested"})
    json_library.write_data("memo/one/input.json", {"x": 1})
    json_library.write_data("memo/one/expected.json", {"kind": "data"})
    cases, skipped = json_library.cases()
    kinds = {case.name: json.loads(case.expected)["kind"] for case in cases}
    assert kinds == {"fine": "fine", "one": "data", "two": "nested", "three": "library"}
    assert skipped == ()


def test_unusable_case_of_the_data_sets_hides_the_librarys(json_library: Library) -> None:
    json_library.case("one")
    json_library.write_data("memo/one/expected.json", {})
    assert json_library.reason("one").startswith("evaluation-data-sets/memo/one: has no input")


def test_case_called_cases_is_a_case(json_library: Library) -> None:
    json_library.case("cases", {"kind": "library"})
    json_library.write_data("memo/cases/x/input.md", "x")
    json_library.write_data("memo/cases/x/expected.json", {})
    assert [case.name for case in json_library.cases()[0]] == ["cases", "fine", "x"]
    json_library.write_data("memo/cases/input.md", "x")
    json_library.write_data("memo/cases/expected.json", {"kind": "data"})
    assert json.loads(json_library.cases()[0][0].expected) == {"kind": "data"}


def test_of_several_inputs_the_markdown_one_is_sent(json_library: Library) -> None:
    folder = "components/memo/evals/cases/fine"
    json_library.write(f"{folder}/input.json", {"x": 1})
    json_library.write(f"{folder}/input.txt", "text")
    assert json_library.cases()[0][0].input == "input of fine"
    (json_library.root / folder / "input.md").unlink()
    assert json_library.cases()[0][0].input == "text"


@pytest.mark.parametrize(
    ("files", "reason", "is_broken"),
    [
        ({"expected.json": "{}"}, "has no input (input.md, input.txt, input.json, or a", False),
        ({"expected.json": "{}", "input-source.md": "x"}, "has no input", False),
        ({"input.md": "x"}, "has no expected answer (expected.json)", False),
        ({"input.md": "x", "expected.md": "x"}, "its expected.md is of another kind", True),
        ({"input.md": " \n", "expected.json": "{}"}, "input.md: is empty", False),
        ({"input.md": b"a\n\xff", "expected.json": "{}"}, "input.md:2: is not UTF-8", True),
        ({"input.md": "x", "expected.json": "{"}, "expected.json: is not JSON: ", True),
        ({"input.md": "x", "expected.json": '{"a": NaN}'}, "NaN is not JSON", True),
        ({"input.md": "x", "expected.json": '{"a": 1, "a": 2}'}, 'the key "a" stands twice', True),
        ({"input.md": "x", "expected.json": '{"a":\n1,}'}, "line 2", True),
        ({"input.md": "x", "expected.json": " "}, "expected.json: is empty", False),
        ({"input.md": "x", "expected.json": "7"}, "expected.json: is no json", True),
        (
            {"input.md": "x", "expected.json": "{}", "metadata.yaml": "a: [b"},
            "metadata.yaml:1: is not YAML",
            True,
        ),
        ({}, "has no input", False),
    ],
)
def test_case_that_cannot_be_used_is_skipped_with_the_reason(
    json_library: Library, files: dict[str, Any], reason: str, *, is_broken: bool
) -> None:
    (json_library.root / "components/memo/evals/cases/bad").mkdir()
    for name, content in files.items():
        json_library.write(f"components/memo/evals/cases/bad/{name}", content)
    cases, skipped = json_library.cases()
    assert [case.name for case in cases] == ["fine"]
    assert [case.case for case in skipped] == ["bad"]
    assert reason in skipped[0].reason
    assert skipped[0].broken is is_broken
    assert "components/memo/evals/cases/bad" in skipped[0].reason


def test_links_out_of_the_checkout_are_skipped_with_the_reason(json_library: Library, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "input.md").write_text("secret")
    (secret / "expected.json").write_text("{}")
    cases = json_library.root / "components/memo/evals/cases"
    (cases / "folder-link").symlink_to(secret)
    json_library.case("file-link")
    (cases / "file-link/input.md").unlink()
    (cases / "file-link/input.md").symlink_to(secret / "input.md")
    assert [case.name for case in json_library.cases()[0]] == ["fine"]
    for name in ("folder-link", "file-link"):
        assert "leaves the checkout" in json_library.reason(name)


@pytest.mark.parametrize(("output", "expected"), [("json_object", []), ("json_array", {})])
def test_expected_answer_of_another_kind_is_skipped(
    json_library: Library, output: str, expected: Any
) -> None:
    entry = catalog("memo", format=output, schema_path=None)
    json_library.write("component_catalog.json", entry)
    json_library.write("components/memo/evals/cases/fine/expected.json", expected)
    with pytest.raises(CaseError, match="is no json"):
        json_library.cases()


def test_markdown_component_takes_markdown_answers(library: Library) -> None:
    library.write("components/memo/evals/cases/a/input.md", "x")
    library.write("components/memo/evals/cases/a/expected.md", "# Title\n")
    library.case("b")
    cases, skipped = library.cases()
    assert [case.expected for case in cases] == ["# Title\n"]
    assert "expected.json is of another kind" in skipped[0].reason


def test_component_without_a_usable_case_is_an_error(library: Library) -> None:
    with pytest.raises(CaseError, match=r"components/memo: has no cases"):
        library.cases()
    library.write("components/memo/evals/cases/a/input.md", "x")
    with pytest.raises(CaseError, match=r"its one case cannot be used; a: .*has no expected answer"):
        library.cases()


def test_hidden_folders_are_no_cases(json_library: Library) -> None:
    json_library.write("components/memo/evals/cases/.git-keep/x", "x")
    json_library.write_data("memo/.git/x", "x")
    assert json_library.cases()[1] == ()


def test_name_that_cannot_be_shown_is_skipped(json_library: Library) -> None:
    json_library.case("a\nb")
    (json_library.root / "components/memo/evals/cases").joinpath("x\udcff").mkdir()
    assert [case.case for case in json_library.cases()[1]] == ["a?b", "x\\udcff"]


# Commits


def commit_all(folder: Path) -> str:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def test_commit_gives_what_its_folder_gave(json_library: Library) -> None:
    component, cases = json_library.load(), json_library.cases()
    with CommitCheckout(json_library.root, commit_all(json_library.root)) as checkout:
        json_library.write("components/memo/prompt.md", "broken")
        assert load_component(checkout, None, "memo") == component
        assert load_cases(checkout, None, component) == cases


def test_changes_that_decide_about_a_component_are_told(json_library: Library) -> None:
    commit = commit_all(json_library.root)
    json_library.write("components/memo/leaderboard.json", "{}")
    json_library.write("components/memo2/prompt.md", "x")
    json_library.write("README.md", "x")
    state = component_state(json_library.root, "memo")
    assert (state.commit, state.changed) == (commit, ())
    # Another's schema decides nothing, unless the component's own refers to it.
    json_library.write("components/base/schema.json", "{}")
    assert component_state(json_library.root, "memo").changed == ()
    json_library.case("new")
    json_library.write("component_catalog.json", catalog("other", format="json_object"))
    json_library.write("shared.json", {"type": "string"})
    refers = {"properties": {"kind": {"$ref": "../base/schema.json"}, "why": {"$ref": "../../shared.json"}}}
    json_library.write("components/memo/schema.json", refers)
    assert set(component_state(json_library.root, "memo").changed) == {
        "component_catalog.json",
        "components/base/schema.json",
        "components/memo/evals/cases/new/expected.json",
        "components/memo/evals/cases/new/input.md",
        "components/memo/schema.json",
        "shared.json",
    }


def test_of_a_schema_that_cannot_be_read_every_schema_may_decide(json_library: Library) -> None:
    commit_all(json_library.root)
    json_library.write("components/memo/schema.json", {"$ref": "../nosuch/schema.json"})
    json_library.write("components/base/schema.json", "{}")
    changed = component_state(json_library.root, "memo").changed
    assert set(changed) == {"components/base/schema.json", "components/memo/schema.json"}


# models.yaml


def test_models_are_read_from_the_library_and_from_a_named_file(library: Library, project_root: Path) -> None:
    text = (project_root / ".evaluator/models.yaml").read_text()
    library.write(".evaluator/models.yaml", text)
    assert load_models(FolderCheckout(library.root)) == load_models_file(
        project_root / ".evaluator/models.yaml"
    )


def test_models_yaml_that_is_missing_or_wrong_is_told(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\.evaluator/models\.yaml: is not there"):
        load_models(FolderCheckout(library.root))
    library.write(".evaluator/models.yaml", "models:\n  - id: x\n")
    with pytest.raises(ConfigurationError, match=r"\.evaluator/models\.yaml:2: a key is missing: `provider`"):
        load_models(FolderCheckout(library.root))
    for path in (tmp_path / "nothing.yaml", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            load_models_file(path)


# The real prompt library


@pytest.mark.corpus
def test_real_components_load(shared_dir: Path) -> None:
    real = FolderCheckout(shared_dir / "prompt-library")
    outputs = {slug: load_component(real, None, slug).output for slug in list_components(real)}
    assert outputs == {
        "document-type-classifier-udm": "json_object",
        "nsf-budget-justification-review-udm": "json_array",
        "nsf-budget-justification-udm": "json_array",
        "rfp-extraction": "markdown",
        "rfp-extraction-udm": "json_object",
        "sponsor-doc-defaults-udm": "json_object",
    }


@pytest.mark.corpus
def test_real_wrapper_has_the_schema_it_delegates_to_and_no_cases(shared_dir: Path) -> None:
    real = FolderCheckout(shared_dir / "prompt-library")
    wrapper = load_component(real, None, "nsf-budget-justification-review-udm")
    assert wrapper.schema_sha256 == load_component(real, None, "nsf-budget-justification-udm").schema_sha256
    with pytest.raises(CaseError, match="has no cases"):
        load_cases(real, None, wrapper)


@pytest.mark.corpus
@pytest.mark.parametrize("slug", ["rfp-extraction", "rfp-extraction-udm"])
def test_real_cases_whose_documents_are_not_public_are_skipped(shared_dir: Path, slug: str) -> None:
    real = FolderCheckout(shared_dir / "prompt-library")
    with pytest.raises(CaseError, match=r"NSF_26-508: .*has no input"):
        load_cases(real, None, load_component(real, None, slug))


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("slug", "count"),
    [
        ("document-type-classifier-udm", 3),
        ("nsf-budget-justification-udm", 1),
        ("sponsor-doc-defaults-udm", 3),
    ],
)
def test_real_expected_answers_obey_their_bundled_schema(shared_dir: Path, slug: str, count: int) -> None:
    real = FolderCheckout(shared_dir / "prompt-library")
    component = load_component(real, None, slug)
    assert component.schema is not None
    assert '"$id"' not in json.dumps(component.schema)
    validator = make_validator(component.schema)
    cases, skipped = load_cases(real, None, component)
    assert (len(cases), skipped) == (count, ())
    assert all(validator.is_valid(parse_json(case.expected)) for case in cases)
    assert not validator.is_valid({"unknown": 1})
