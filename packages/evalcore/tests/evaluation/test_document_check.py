"""Documents that cannot be used are found without an evaluation."""

from __future__ import annotations

import subprocess
import sys

import pytest

from evalcore.evaluation.check import check_component
from evalcore.library.checkout import FolderCheckout
from evalcore.library.models_file import parse_models
from evalsim.documents import pdf
from evalsim.testing import write_component

GOOD = pdf.text_pdf(["A page."])
MODELS = "models:\n- {id: m, provider: mindrouter}\n"


@pytest.fixture
def library(tmp_path):
    write_component(tmp_path, schema={"type": "object"}, cases={"one": {}})
    folder = tmp_path / "components/memo/evals/cases/one"
    (folder / "input.md").unlink()
    (folder / "input.pdf").write_bytes(GOOD)
    return tmp_path


def lines(library, documents="documents: {model: big}\n"):
    models = parse_models(f"{documents}{MODELS}".encode(), "models.yaml")
    found = check_component(FolderCheckout(library), None, "memo", models)
    return [f"{one.severity}: {one.line}" for one in found]


def test_a_good_document_has_no_finding(library):
    assert lines(library) == []


def test_a_bad_one_is_an_error_with_its_reason(library):
    (library / "components/memo/evals/cases/one/input.pdf").write_bytes(pdf.truncated(GOOD))
    (line,) = lines(library)
    assert line.startswith("error: components/memo/evals/cases/one/input.pdf: is cut short")
    assert line.endswith("mend it: the case is left out")


def test_a_library_that_names_no_model_for_its_documents_is_told_so(library):
    (line,) = lines(library, documents="")
    assert "no model is named that reads its 1 document;" in line
    assert lines(library, documents="documents: {reader: text}\n") == []
    (library / "components/memo/evals/inputs.yaml").write_text("reader: none\n")
    assert lines(library, documents="") == []


def test_a_mistake_in_inputs_yaml_hides_nothing_else(library):
    (library / "components/memo/evals/inputs.yaml").write_text("reader: ocr\n")
    (library / "components/memo/evals/cases/one/input.pdf").write_bytes(b"")
    first, second = lines(library)
    assert "evals/inputs.yaml:1" in first
    assert "is empty" in second


def test_where_there_is_no_document_nothing_is_loaded_for_them():
    """Nor asyncio, which takes its time, nor what parses documents."""
    program = (
        "import sys; import evalcore.evaluation.check, evalcore.documents.inspection;"
        "print(sorted({'pypdf', 'PIL', 'mammoth', 'markdownify', 'bs4'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
