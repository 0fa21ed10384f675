"""What is wrong with the documents among a component's inputs, as far as that shows without reading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalcore.errors import InputError
from evalcore.evaluation.finding import Finding
from evalcore.formats.counts import counted
from evalcore.library.cases import case_place, document_bytes
from evalcore.library.checkout import Checkout
from evalcore.library.component import Case
from evalcore.library.reading import ReadingSettings


def document_findings(
    library: Checkout, data_sets: Checkout | None, slug: str, cases: Sequence[Case], reading: ReadingSettings
) -> Iterator[Finding]:
    """Yield the documents that cannot be used, and that nothing says which model is to read them.

    Not to be called where an event loop runs.
    """
    unread = [case for case in cases if case.is_unread]
    if not unread:
        return
    # Loaded where there is a document alone: most libraries have none.
    import asyncio  # noqa: PLC0415

    from evalcore.documents.inspection import inspect_document  # noqa: PLC0415

    if reading.reader == "mindrouter" and reading.model is None:
        what = f"no model is named that reads its {counted(len(unread), 'document')}"
        hint = "add `documents: {model: ...}` to .evaluator/models.yaml, or `reader: text`"
        yield Finding("error", slug, case_place(unread[0]), what, hint)
    for case in unread:
        if case.document is None:
            continue
        try:
            data = document_bytes(library, data_sets, case)
        except InputError as error:
            yield Finding("error", slug, case_place(case), error.what, error.hint)
            continue
        looked = asyncio.run(inspect_document(case.document, data, dpi=reading.dpi))
        if looked.problem is not None:
            yield Finding("error", slug, case_place(case), looked.problem, "mend it: the case is left out")
