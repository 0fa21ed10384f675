"""The versions of all components of a tree, as they are written."""

from __future__ import annotations

import pytest

from evalcore.library.checkout import FolderCheckout
from evalcore.library.versions import written_versions
from evalsim.testing import write_component

PROMPT = "---\nname: x\nversion: {}\n---\nAnswer.\n"


def versions(library):
    return written_versions(FolderCheckout(library))


def test_each_component_has_its_version(tmp_path):
    for slug, version in (("memo", "1.0.0"), ("letter", "2.1.0-rc.1")):
        write_component(tmp_path, slug, prompt_file=PROMPT.format(version))
    assert versions(tmp_path) == {"letter": "2.1.0-rc.1", "memo": "1.0.0"}


@pytest.mark.parametrize(
    "text", ["", "no front matter", "---\nname: x\n---\n", "---\nversion: [", "---\nname: x"]
)
def test_where_no_version_can_be_read_there_is_none(tmp_path, text):
    write_component(tmp_path, "odd", prompt_file=text)
    assert versions(tmp_path) == {"odd": None}


def test_a_prompt_that_is_no_text_has_none(tmp_path):
    folder = write_component(tmp_path)
    (folder / "prompt.md").write_bytes(b"\xff\xfe")
    assert versions(tmp_path) == {"memo": None}


def test_a_folder_without_a_prompt_is_no_component(tmp_path):
    (tmp_path / "components" / "notes").mkdir(parents=True)
    assert versions(tmp_path) == {}


def test_a_tree_without_components_has_none(tmp_path):
    assert versions(tmp_path) == {}
