"""The one stylesheet of status page, dashboard and reports, and the charts' colours in it. Pure."""

from __future__ import annotations

from importlib.resources import files


def base_css() -> bytes:
    """Return the stylesheet that all our pages share: colours, type, spacing, tables, charts."""
    return files(__name__).joinpath("base.css").read_bytes()
