"""Our pages in a site that MkDocs makes: where they go, and their place in its navigation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from evalcore.errors import ConfigurationError
from evalcore.reports.dashboard.site import Site
from evalcore.reports.pages.mkdocs import FOLDER, with_navigation
from evalcore.reports.pages.places import Layout
from evalcore.runs.files import read_regular, write_atomically
from evalcore.structs import Frozen

CONFIGS: Final = ("mkdocs.yml", "mkdocs.yaml")
MOST_BYTES: Final = 1024 * 1024
# Of a configuration these two are all that matters here. It names code by tags, so that it is not loaded.
_DOCS: Final = re.compile(r"""^docs_dir:[ \t]+["']?([^"'#\n]+?)["']?[ \t]*(?:#.*)?$""", re.MULTILINE)
_NO_FOLDERS: Final = re.compile(r"^use_directory_urls:[ \t]+(?:false|no|off)\b", re.MULTILINE | re.IGNORECASE)


class MkDocsSite(Frozen, frozen=True):
    """A site that MkDocs makes."""

    config: Path | None
    """None where only the folder of its pages is known."""
    text: str
    """Of the configuration."""
    pages: Path
    """Where ours go."""
    layout: Layout


def find_mkdocs(folder: Path) -> MkDocsSite:
    """Find the site by the folder that holds its configuration, or by that of its pages.

    Raises ConfigurationError where its configuration cannot be read.
    """
    for place in (folder, folder.absolute().parent):
        config = next((place / name for name in CONFIGS if (place / name).is_file()), None)
        if config is None:
            continue
        text = _read(config)
        named = _DOCS.search(text)
        docs = place / (named[1] if named is not None else "docs")
        # A configuration above the folder may be another site's: it is ours where its pages are this very
        # folder.
        if place == folder or docs.resolve() == folder.resolve():
            layout = Layout(is_embedded=True, has_folders=_NO_FOLDERS.search(text) is None)
            return MkDocsSite(config=config, text=text, pages=docs / FOLDER, layout=layout)
    return MkDocsSite(config=None, text="", pages=folder / FOLDER, layout=Layout(is_embedded=True))


def place_in_navigation(found: MkDocsSite, site: Site) -> Literal["written", "unchanged", "none"]:
    """Put our pages into the navigation; say whether that changed it, or that there is no configuration."""
    if found.config is None:
        return "none"
    text = with_navigation(found.text, site)
    if text == found.text:
        return "unchanged"
    write_atomically(found.config, text.encode(), is_durable=False)
    return "written"


def _read(config: Path) -> str:
    try:
        return read_regular(config, MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("cannot be read", where=str(config), hint="mend it") from error
