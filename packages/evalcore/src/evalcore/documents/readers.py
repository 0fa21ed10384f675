"""The readers by their names, and whether this machine has what the library's reader needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Final

from evalcore.clients.interface import OnWait
from evalcore.clients.outage import OutagePolicy
from evalcore.documents.inspection import text_layer
from evalcore.documents.interface import Reader, ReadText, Unreadable
from evalcore.errors import ConfigurationError
from evalcore.library.component import Document, ReaderName
from evalcore.library.models import LOCAL_PROVIDER, Endpoint, NotConfigured, Provider, resolve_provider
from evalcore.library.reading import ReadingSettings

_LIBRARIES: Final = ("pypdf", "mammoth", "markdownify")


def reader_endpoint(
    settings: ReadingSettings, providers: Mapping[str, Provider], environ: Mapping[str, str], slug: str
) -> Endpoint | None:
    """Return where documents are read, None for a reader that needs no server.

    Raises ConfigurationError where this machine cannot read them as the library wants: reading them
    otherwise, or leaving them out, would give figures of something else.
    """
    if settings.reader != "mindrouter":
        return None
    if settings.model is None:
        raise ConfigurationError(
            "the inputs are documents, and `documents:` names no model to read them with",
            where=".evaluator/models.yaml",
            hint="add `documents: {model: ...}`, or `documents: {reader: text}`",
        )
    endpoint = resolve_provider(providers[LOCAL_PROVIDER], environ)
    if isinstance(endpoint, NotConfigured):
        raise ConfigurationError(
            f"the inputs are documents, which the library has read by MindRouter: {endpoint.reason}",
            where=slug,
            hint=f"set it, or have `evalcli cases read {slug} --write` store what is read where that is set",
        )
    return endpoint


def open_reader(
    settings: ReadingSettings,
    providers: Mapping[str, Provider],
    endpoint: Endpoint | None,
    on_wait: OnWait | None = None,
    outage: OutagePolicy | None = None,
) -> AbstractAsyncContextManager[Reader]:
    """Open the library's reader; `endpoint` is what `reader_endpoint` returned."""
    if settings.reader == "none" or endpoint is None:
        return _opened(UnchangedDocument() if settings.reader == "none" else TextLayer())
    # Most who ask have nothing to read, and a connection takes a third of a second to load.
    from evalcore.documents.mindrouter import open_mindrouter_reader  # noqa: PLC0415

    return open_mindrouter_reader(
        settings, providers[LOCAL_PROVIDER], endpoint, on_wait=on_wait, outage=outage
    )


@asynccontextmanager
async def _opened(reader: Reader) -> AsyncIterator[Reader]:
    yield reader


class TextLayer:
    """Reads the text layer of PDF and DOCX, without any model."""

    name: ReaderName = "text"

    async def version(self) -> str | None:
        """Return the versions of the libraries that read."""
        # Another version may read differently: it is part of the cache's key, and the record names it.
        return ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:  # noqa: ARG002
        """Read one document."""
        return await text_layer(document, data)


class UnchangedDocument:
    """Reads nothing: the document itself is sent to the models."""

    name: ReaderName = "none"

    async def version(self) -> str | None:
        """Return None: nothing reads."""
        return None

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:  # noqa: ARG002
        """Return no text, and the pages."""
        return ReadText("", pages)
