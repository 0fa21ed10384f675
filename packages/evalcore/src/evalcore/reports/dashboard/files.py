"""The dashboard's data as files: `index.json`, and each table as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec

from evalcore.formats.strict_json import sha256_hex
from evalcore.reports.dashboard.paths import INDEX_JSON, table_file
from evalcore.reports.dashboard.site import Site
from evalcore.reports.dashboard.tables import TABLES, table


class SiteFile(NamedTuple):
    """A file of the site, made when it is asked for."""

    path: str
    """From the site's root."""
    made_of: str
    """A hash of all that it is made of: where it is as before, so are its bytes."""
    content: Callable[[], bytes]


def data_files(site: Site) -> Iterator[SiteFile]:
    """Yield what other programs read."""
    # The tables are made of the same site, so that one hash tells of all whether they are as before.
    data = msgspec.json.encode(site) + b"\n"
    digest = sha256_hex(data)
    yield SiteFile(INDEX_JSON, digest, lambda: data)
    for name in TABLES:
        yield SiteFile(table_file(name), digest, partial(table, name, site))
