"""Documents as cases hold them, and jobs of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalcore.formats.strict_json import sha256_hex
from evalcore.library.component import Case, Document
from evalcore.runs.plan import JobPlan
from evalsim.testing import make_case, make_job_plan


def document_of(content: bytes, name: str = "input.pdf", case: str = "one") -> Document:
    """Name a document as the reader of cases does."""
    path = f"components/memo/evals/cases/{case}/{name}"
    return Document(name=name, sha256=sha256_hex(content), size=len(content), path=path)


def case_of(name: str, content: bytes, file: str = "input.pdf", **fields: Any) -> Case:
    """Make a case whose document is still to be read."""
    values: dict[str, Any] = {"expected": "{}", "sha256": sha256_hex(content + b"\0{}")}
    return make_case(name, input="", document=document_of(content, file, name), **values | fields)


@pytest.fixture
def job_of() -> Callable[..., JobPlan]:
    """Make a job of documents: the case's name to its bytes."""

    def make(contents: dict[str, bytes], *, file: str = "input.pdf", **fields: Any) -> JobPlan:
        cases = tuple(case_of(name, content, file) for name, content in contents.items())
        return make_job_plan(**{"cases": cases} | fields)

    return make
