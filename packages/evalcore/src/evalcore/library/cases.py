"""The edge that reads a component's cases from the data sets and the prompt library."""

from __future__ import annotations

import hashlib

from evalcore.errors import CaseError, CheckoutError, InputError
from evalcore.formats.strict_json import parse_json
from evalcore.formats.yaml_tree import YamlNode, read_yaml
from evalcore.library.checkout import MAX_BYTES, Checkout, decode_text, lfs_pointer
from evalcore.library.component import (
    DATA_SETS,
    Case,
    CaseSource,
    Component,
    Document,
    OutputFormat,
    SkippedCase,
)
from evalcore.structs import Frozen, JsonValue

READ_INPUT = "input.md"
"""Under which name what was read of a document is stored beside it."""
INPUTS = (READ_INPUT, "input.txt", "input.json")
DOCUMENTS = ("input.pdf", "input.docx", "input.png", "input.jpg", "input.jpeg", "input.tiff", "input.tif")
LARGEST_DOCUMENT = 50 * 10**6
"""Bytes; the proxy before MindRouter lets 50 MiB pass, of which the rest of the request takes a little."""
EXPECTED_JSON = "expected.json"
EXPECTED_MARKDOWN = "expected.md"
METADATA = "metadata.yaml"
MAX_NAME = 200
"""Characters of a case's name."""
MAX_REASON = 1000
"""Characters of a reason; what is longer is cut."""


class _Unusable(Exception):
    """Why a case is skipped, in the words that are shown: what it has cannot be used."""


# A case that is still being written is no failure: only a broken one ends `evaluate` and `check` with 1.
class _Unfinished(_Unusable):
    """Its input or its expected answer is yet to come."""


class NoUsableCase(CaseError):
    """A component has no case that can be used; `skipped` says why, case by case."""

    def __init__(self, slug: str, skipped: tuple[SkippedCase, ...]) -> None:
        self.skipped = skipped
        where = f"components/{slug}"
        if skipped:
            every = "its one case cannot" if len(skipped) == 1 else f"none of its {len(skipped)} cases can"
            what = f"{every} be used; {skipped[0].case}: {skipped[0].reason}"
            more = f"; `evalcli check {slug}` says why of each" if len(skipped) > 1 else ""
            super().__init__(what, where=where, hint=f"mend one{more}")
        else:
            hint = f"put input.md and expected.json (or .md) into components/{slug}/evals/cases/<case>/"
            super().__init__("has no cases", where=where, hint=hint)


class _CaseFolder(Frozen, frozen=True):
    """The folder that a case was found in."""

    checkout: Checkout
    path: str
    where: str

    @property
    def source(self) -> CaseSource:
        return "data_sets" if self.where.startswith(f"{DATA_SETS}/") else "library"

    def skipped(self, name: str, reason: str, *, broken: bool = True) -> SkippedCase:
        # Where a case lies always stands first, which is how SkippedCase knows its source.
        located = reason if reason.startswith(self.where) else f"{self.where}: {reason}"
        return SkippedCase(_printable(name), _printable(located, MAX_REASON), broken)

    def has(self, name: str) -> bool:
        return self.checkout.has(f"{self.path}/{name}")

    def read(self, name: str, most: int = MAX_BYTES) -> bytes:
        try:
            data = self.checkout.read(f"{self.path}/{name}", most)
        except CheckoutError as error:
            raise CheckoutError(error.what, where=f"{self.where}/{name}", hint=error.hint) from None
        # A pointer's text must never be taken for the case's.
        if lfs_pointer(data) is not None:
            raise _Unusable(f"{self.where}/{name}: is a Git LFS pointer: fetch it (`git lfs pull`)")
        return data


def load_cases(
    library: Checkout, data_sets: Checkout | None, component: Component
) -> tuple[tuple[Case, ...], tuple[SkippedCase, ...]]:
    """Read a component's cases, sorted by name; those that cannot be used come with the reason.

    Of several folders of one name the first counts: `<data sets>/<slug>/<case>`,
    `<data sets>/<slug>/cases/<case>`, `components/<slug>/evals/cases/<case>`.

    Raises CaseError when none is usable.
    """
    cases: list[Case] = []
    skipped: list[SkippedCase] = []
    # Sorted: the order of calls, of records and of hashes must not depend on the file system.
    for name, place in sorted(_places(library, data_sets, component.slug).items()):
        try:
            cases.append(_load_case(name, place, component.output))
        except _Unusable as reason:
            broken = not isinstance(reason, _Unfinished)
            skipped.append(place.skipped(name, str(reason), broken=broken))
        except InputError as error:
            skipped.append(place.skipped(name, error.line))
    if not cases:
        raise NoUsableCase(component.slug, tuple(skipped))
    return tuple(cases), tuple(skipped)


def case_folders(library: Checkout, data_sets: Checkout | None, slug: str) -> dict[str, str]:
    """Return the folder of each case of a component by its name, as it is shown to people."""
    return {name: place.where for name, place in _places(library, data_sets, slug).items()}


def _places(library: Checkout, data_sets: Checkout | None, slug: str) -> dict[str, _CaseFolder]:
    # The other way round than they count: each place replaces what an earlier one has by that name.
    places: dict[str, _CaseFolder] = {}
    _add(places, library, f"components/{slug}/evals/cases", prefix="")
    if data_sets is not None:
        prefix = f"{DATA_SETS}/"
        _add(places, data_sets, f"{slug}/cases", prefix)
        # Reading `<slug>` finds the folder `cases` as if it were a case; what stood for one of that name is
        # put back.
        nested = places.get("cases")
        _add(places, data_sets, slug, prefix)
        # `<slug>/cases` is the folder of cases, unless it is itself laid out as one.
        if not _holds_case(data_sets, f"{slug}/cases"):
            places.pop("cases", None)
            places.update({"cases": nested} if nested is not None else {})
    return places


def _add(places: dict[str, _CaseFolder], checkout: Checkout, folder: str, prefix: str) -> None:
    for name in checkout.folders(folder):
        # `.git` of data sets that are a repository themselves, and what editors leave.
        if not name.startswith("."):
            path = f"{folder}/{name}"
            places[name] = _CaseFolder(checkout=checkout, path=path, where=f"{prefix}{path}")


def _holds_case(checkout: Checkout, folder: str) -> bool:
    names = (*INPUTS, *DOCUMENTS, EXPECTED_JSON, EXPECTED_MARKDOWN)
    return any(checkout.has(f"{folder}/{name}") for name in names)


def _load_case(name: str, place: _CaseFolder, output: OutputFormat) -> Case:
    # The name stands in records, tables, logs and a runner's output, where a line end would begin a new line.
    if name != _printable(name):
        raise _Unusable(f"its folder's name has unusual characters, or over {MAX_NAME} of them")
    input_name, expected_name = _input_name(place), _expected_name(place, output)
    document, input_text = None, ""
    if input_name in DOCUMENTS:
        input_bytes = place.read(input_name, LARGEST_DOCUMENT)
        document = _document(place, input_name, input_bytes)
    else:
        input_bytes = place.read(input_name)
        input_text = decode_text(input_bytes, f"{place.where}/{input_name}")
    expected_bytes = place.read(expected_name)
    expected = decode_text(expected_bytes, f"{place.where}/{expected_name}")
    if not input_text.strip() and document is None:
        raise _Unfinished(f"{place.where}/{input_name}: is empty")
    _check_expected(expected, output, f"{place.where}/{expected_name}")
    metadata = _metadata(place)
    return Case(
        name=name,
        input=input_text,
        expected=expected,
        # The NUL keeps the border: what moves from the input's end to the answer's beginning is another case.
        sha256=hashlib.sha256(input_bytes + b"\0" + expected_bytes).hexdigest(),
        validated_against_version=_validated_against(metadata),
        source=place.source,
        local_only=_is_local_only(metadata, place),
        document=document,
    )


def _document(place: _CaseFolder, name: str, data: bytes) -> Document:
    return Document(
        name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data), path=f"{place.path}/{name}"
    )


def document_bytes(library: Checkout, data_sets: Checkout | None, case: Case) -> bytes:
    """Return the bytes of a case's document from the checkout that the case was read from.

    Raises CaseError where they are not those that were read with the case, CheckoutError.
    """
    checkout = data_sets if case.source == "data_sets" else library
    document = case.document
    if checkout is None or document is None:
        raise CaseError("has no document", where=case.name, hint="read the component again")
    data = checkout.read(document.path, LARGEST_DOCUMENT)
    # A folder may change between the two readings; the record would then name bytes that nobody read.
    if hashlib.sha256(data).hexdigest() != document.sha256:
        raise CaseError("has changed meanwhile", where=case_place(case), hint="begin again")
    return data


def case_place(case: Case) -> str:
    """Return where the document of a case lies, as it is shown to people and begins a reason."""
    path = case.document.path if case.document is not None else case.name
    return f"{DATA_SETS}/{path}" if case.source == "data_sets" else path


def skipped_document(case: Case, reason: str) -> SkippedCase:
    """Return a case whose document cannot be used, with the reason."""
    return SkippedCase(case.name, _printable(f"{case_place(case)}: {reason}", MAX_REASON), broken=True)


def _input_name(place: _CaseFolder) -> str:
    # Text first: what somebody has read and put right beside a document is what counts.
    for name in (*INPUTS, *DOCUMENTS):
        if place.has(name):
            return name
    raise _Unfinished(f"{place.where}: has no input ({', '.join(INPUTS)}, or a document: input.pdf, ...)")


def _expected_name(place: _CaseFolder, output: OutputFormat) -> str:
    wanted, other = EXPECTED_JSON, EXPECTED_MARKDOWN
    if output == "markdown":
        wanted, other = other, wanted
    if place.has(wanted):
        return wanted
    reason = f"{place.where}: has no expected answer ({wanted})"
    if place.has(other):
        raise _Unusable(f"{reason}; its {other} is of another kind than the component's answers")
    raise _Unfinished(reason)


def _check_expected(expected: str, output: OutputFormat, where: str) -> None:
    # An empty file is how people begin a case: nothing is wrong with it yet.
    if not expected.strip():
        raise _Unfinished(f"{where}: is empty")
    if output == "markdown":
        return
    try:
        value = parse_json(expected)
    except ValueError as error:
        raise _Unusable(f"{where}: is not JSON: {error}") from None
    if not is_of_kind(value, output):
        raise _Unusable(f"{where}: is no {output.replace('_', ' ')}, which the component answers with")


def is_of_kind(value: JsonValue, output: OutputFormat) -> bool:
    """Whether a JSON value is what a component of that format answers with."""
    kinds = {"json_object": dict, "json_array": list}
    # Where only a schema says that it is JSON, the schema decides which; a bare text or number is no answer.
    return isinstance(value, kinds.get(output, dict | list))


def _metadata(place: _CaseFolder) -> dict[str, YamlNode]:
    if not place.has(METADATA):
        return {}
    where = f"{place.where}/{METADATA}"
    metadata = read_yaml(decode_text(place.read(METADATA), where), where, CaseError)
    return metadata.items() if metadata is not None else {}


def _validated_against(metadata: dict[str, YamlNode]) -> str | None:
    """Return the version that metadata.yaml names, as it is written there."""
    version = metadata.get("validated_against_version")
    return version.text if version is not None and version.value is not None else None


def _is_local_only(metadata: dict[str, YamlNode], place: _CaseFolder) -> bool:
    """Whether the case is never sent to a cloud provider; what is neither true nor false is refused."""
    given = metadata.get("local_only")
    if given is None:
        return False
    # `local_only: ture` taken for false would send a confidential case to a provider.
    if not isinstance(given.value, bool):
        where = f"{place.where}/{METADATA}:{given.line}"
        raise _Unusable(f"{where}: `local_only` is neither true nor false")
    return given.value


def _printable(name: str, limit: int = MAX_NAME) -> str:
    shown = name.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else "?" for char in shown)[:limit]
