"""Names of pages: a model's is safe, and no other model's."""

from __future__ import annotations

import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.dashboard.paths import component_page, model_page, table_file


def test_characters_but_letters_digits_dots_and_dashes_become_dashes_then_a_hash_follows():
    digest = hashlib.sha256(b"openai/gpt-oss:120b").hexdigest()[:8]
    assert model_page("openai/gpt-oss:120b") == f"models/openai-gpt-oss-120b-{digest}.html"
    assert (component_page("memo"), table_file("runs")) == ("components/memo.html", "data/runs.csv")


@given(st.text())
def test_every_name_is_a_file_in_the_folder_of_models(model):
    assert re.fullmatch(r"models/[A-Za-z0-9._-]*-[0-9a-f]{8}\.html", model_page(model))
    assert len(model_page(model)) < 250


@given(st.text(), st.text())
def test_two_models_have_two_pages(one, other):
    assert (model_page(one) == model_page(other)) == (one == other)


def test_half_a_surrogate_pair_has_a_page():
    assert model_page("\ud800").startswith("models/--")
