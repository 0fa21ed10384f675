"""Which policy a component has now."""

from __future__ import annotations

import pytest

from evalcli.leaderboards.present_policy import PolicyHash, current_policy, current_policy_sha256
from evalcore.errors import ComponentError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.checkout import FolderCheckout
from evalsim.testing import write_component

NONE = (None, None)


def test_the_policy_is_the_data_sets_before_the_components_own(tmp_path):
    library, data_sets = tmp_path / "library", tmp_path / "data"
    write_component(library, cases={"one": {"a": 1}})
    (data_sets / "memo").mkdir(parents=True)
    checkouts = FolderCheckout(library), FolderCheckout(data_sets)
    assert current_policy(*checkouts, "memo") == NONE
    (library / "components/memo/evals/scoring.yaml").write_text("fields: {}\n")
    assert current_policy(*checkouts, "memo")[0] == "fields: {}\n"
    (data_sets / "memo/scoring.yaml").write_text("fields:\n")
    assert current_policy(*checkouts, "memo")[0] == "fields:\n"


def test_a_component_that_is_not_there_has_no_policy(tmp_path):
    write_component(tmp_path)
    for slug in ("letter", "../memo", ""):
        with pytest.raises(ComponentError):
            current_policy(FolderCheckout(tmp_path), None, slug)


def test_a_policy_that_is_no_text_is_told(tmp_path):
    write_component(tmp_path, cases={"one": {}})
    (tmp_path / "components/memo/evals/scoring.yaml").write_bytes(b"\xff")
    with pytest.raises(ComponentError) as caught:
        current_policy(FolderCheckout(tmp_path), None, "memo")
    assert caught.value.where.startswith("components/memo/evals/scoring.yaml")


def test_it_is_known_by_its_hash_where_the_component_can_be_read(tmp_path):
    assert current_policy_sha256(tmp_path, None, "memo") is None
    write_component(tmp_path, cases={"one": {}})
    assert current_policy_sha256(tmp_path, None, "memo") == PolicyHash(None)
    assert current_policy_sha256(tmp_path, None, "letter") is None
    (tmp_path / "components/memo/evals/scoring.yaml").write_text("fields: {}\n")
    assert current_policy_sha256(tmp_path, None, "memo") == PolicyHash(sha256_hex(b"fields: {}\n"))
