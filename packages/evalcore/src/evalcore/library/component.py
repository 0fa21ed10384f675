"""A component: its prompt, its front matter, what the catalog says of it, and its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from evalcore.formats.counts import first_few
from evalcore.structs import Frozen, JsonObject

OutputFormat = Literal["json_object", "json_array", "json", "markdown"]
"""What a component answers with; `json` where only a schema says that it is JSON."""


class Component(Frozen, frozen=True):
    """One prompt of the library at one version, with all that calling and scoring need of it."""

    slug: str
    name: str
    version: str
    category: str | None
    prompt: str
    """The system message: UTF-8, stripped."""
    # Of what is sent: two versions with one prompt, or one version with two, are known by these hashes.
    prompt_sha256: str
    output: OutputFormat
    schema: JsonObject | None
    """The schema of the answer, self-contained and without `$id`s."""
    schema_sha256: str | None
    """SHA-256 of the bundled schema's canonical bytes."""
    policy: str | None
    """The text of scoring.yaml that applies."""
    policy_where: str | None
    """Its path, for errors."""
    policy_sha256: str | None

    @property
    def is_json(self) -> bool:
        """Whether the answer is parsed as JSON (otherwise it is Markdown)."""
        return self.output != "markdown"


DATA_SETS = "evaluation-data-sets"
"""What the data sets are called in reasons, wherever they lie: records do not depend on the machine."""
CaseSource = Literal["library", "data_sets"]
"""Where a case comes from: what is published of it depends on that."""


ReaderName = Literal["mindrouter", "text", "none"]
"""What makes a document into text: MindRouter's OCR, the text layer, or nothing: it is sent as it is."""


class Document(Frozen, frozen=True):
    """A case's input that is no text, before it is read and after."""

    name: str
    """The file's name, as `input.pdf`."""
    sha256: str
    """Of its bytes."""
    size: int
    """Its bytes."""
    path: str
    """Where it lies in its checkout, which `Case.source` names."""
    reader: ReaderName | None = None
    """What has read it; None until then."""
    version: str | None = None
    """The reader's version, as it states it."""
    pages: int | None = None
    """Its pages, where its reader counts them."""

    @property
    def kind(self) -> str:
        """Its extension, in small letters and without the dot: `pdf`."""
        return self.name.rpartition(".")[2].lower()


class Case(Frozen, frozen=True):
    """One input with its expected answer."""

    name: str
    input: str
    """The user message; of a document what was read of it, empty until then or where it is sent itself."""
    expected: str
    """The expected answer as written: JSON text, or Markdown."""
    sha256: str
    """Of the input's bytes, a NUL byte, and the expected answer's bytes.

    Of a document that was read the input is its text, so that different readings are different cases.
    """
    validated_against_version: str | None = None
    source: CaseSource = "library"
    local_only: bool = False
    """Whether it is never sent to a cloud provider."""
    document: Document | None = None
    """What the input was read of; None where it is a text."""

    @property
    def is_sent_itself(self) -> bool:
        """Whether its document is sent to the models as it is."""
        return self.document is not None and self.document.reader == "none"

    @property
    def is_unread(self) -> bool:
        """Whether its input is a document that is still to be read."""
        return self.document is not None and self.document.reader is None


class SkippedCase(Frozen, frozen=True, omit_defaults=True):
    """A case that cannot be used, and why."""

    case: str
    reason: str
    """Begins with where it lies."""
    broken: bool = False
    """Whether its input and expected answer are there and cannot be used; else one of them is yet to come."""

    @property
    def source(self) -> CaseSource:
        """Where it comes from."""
        return "data_sets" if self.reason.startswith(f"{DATA_SETS}/") else "library"


# The sentence stands among the first lines of a pull request; the record has them all.
MOST_BROKEN: Final = 5
"""Broken cases that a sentence names."""


def broken_cases_sentence(
    skipped: Iterable[SkippedCase], escape: Callable[[str], str] = str, *, since: str | None = None
) -> str | None:
    """Say which cases are broken, so that the figures lack them; None where none is.

    `escape` makes a name fit for where the sentence is shown. `since` says when that was, of figures that
    were made before: a case may have been mended.
    """
    names = [escape(case.case) for case in skipped if case.broken]
    if not names:
        return None
    named = first_few(names, MOST_BROKEN)
    one = len(names) == 1
    many = "1 case" if one else f"{len(names)} cases"
    be = "is" if one else "are"
    said = f"{many} {be} broken and left out"
    if since is not None:
        said = f"{since} {many} {'was' if one else 'were'} broken and {be} left out"
    return f"{said}, so the figures are of the others alone: {named}."
