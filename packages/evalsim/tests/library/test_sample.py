"""The sample library is a real one: every file parses, every expected answer satisfies its schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from evalsim.library import SAMPLE_COMPONENTS, as_git, write_sample_data_sets, write_sample_library

INPUTS = ("input.md", "input.txt", "input.json")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    write_sample_library(tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def data_sets(tmp_path: Path) -> Path:
    write_sample_data_sets(tmp_path / "data-sets")
    return tmp_path / "data-sets"


def case_folders(library: Path, data_sets: Path, slug: str) -> list[Path]:
    places = (data_sets / slug, data_sets / slug / "cases", library / "components" / slug / "evals" / "cases")
    folders = [folder for place in places if place.is_dir() for folder in sorted(place.iterdir())]
    return [folder for folder in folders if folder.is_dir() and folder.name != "cases"]


def catalog_entry(library: Path, slug: str) -> dict[str, object]:
    catalog = json.loads((library / "component_catalog.json").read_text("utf-8"))
    (entry,) = [entry for entry in catalog["components"] if entry["slug"] == slug]
    return dict(entry["contracts"]["output"])


def test_the_library_holds_the_named_components(library: Path) -> None:
    assert tuple(sorted(folder.name for folder in (library / "components").iterdir())) == SAMPLE_COMPONENTS


def test_the_components_answer_in_every_format(library: Path) -> None:
    formats = {catalog_entry(library, slug)["format"] for slug in SAMPLE_COMPONENTS}
    assert formats == {"json_object", "json_array", "markdown_memo"}


@pytest.mark.parametrize("slug", SAMPLE_COMPONENTS)
def test_every_prompt_has_front_matter_and_headings_before_its_prompt(library: Path, slug: str) -> None:
    text = (library / "components" / slug / "prompt.md").read_text("utf-8")
    _, front, body = text.split("---\n", 2)
    assert {"name", "version", "category"} <= set(YAML(typ="safe").load(front))
    assert body.index("\n## ") < body.index("\n## Prompt\n")


@pytest.mark.parametrize("slug", SAMPLE_COMPONENTS)
def test_every_component_has_at_least_two_usable_cases(library: Path, data_sets: Path, slug: str) -> None:
    folders = case_folders(library, data_sets, slug)
    assert sum(any((folder / name).is_file() for name in INPUTS) for folder in folders) >= 2
    assert all(any(folder.glob("expected.*")) for folder in folders)


def test_one_case_has_no_input_and_is_to_be_skipped(library: Path, data_sets: Path) -> None:
    folders = [folder for slug in SAMPLE_COMPONENTS for folder in case_folders(library, data_sets, slug)]
    without = [folder.name for folder in folders if not any((folder / name).is_file() for name in INPUTS)]
    assert without == ["unpublished-notice"]


@pytest.mark.parametrize("slug", ["award-notice-review", "award-notice-terms", "deadline-calendar"])
def test_every_expected_answer_satisfies_its_schema(library: Path, data_sets: Path, slug: str) -> None:
    root = (library / "components").as_uri()
    schemas = {
        f"{root}/{path.parent.name}/schema.json": json.loads(path.read_text("utf-8"))
        for path in library.glob("components/*/schema.json")
    }
    for schema in schemas.values():
        schema.pop("$id", None)  # a relative $ref is a path from its file, whatever the $id says
    entry_point = catalog_entry(library, slug)["schema_entrypoints"]
    assert isinstance(entry_point, list)
    registry = jsonschema_rs.Registry(list(schemas.items()))
    validator = jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"{root}/{slug}/schema.json{entry_point[-1]}",
        },
        registry=registry,
        validate_formats=True,
    )
    for folder in case_folders(library, data_sets, slug):
        validator.validate(json.loads((folder / "expected.json").read_text("utf-8")))


def test_at_least_four_local_models_are_listed(library: Path) -> None:
    models = YAML(typ="safe").load((library / ".evaluator" / "models.yaml").read_text("utf-8"))["models"]
    assert len(models) >= 4
    assert {model["provider"] for model in models} == {"mindrouter"}
    assert {model.get("structured_output", "none") for model in models} == {
        "none",
        "json_object",
        "json_schema",
    }


def test_as_git_gives_a_commit_of_everything(library: Path) -> None:
    commit = as_git(library)
    command = ["git", "-C", library, "ls-tree", "-r", "--name-only", commit]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    written = [path for path in library.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert sorted(listed) == sorted(path.relative_to(library).as_posix() for path in written)


def test_the_same_files_give_the_same_commit(tmp_path: Path) -> None:
    commits = set()
    for name in ("one", "two"):
        write_sample_library(tmp_path / name)
        commits.add(as_git(tmp_path / name))
    assert len(commits) == 1
