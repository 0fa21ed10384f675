"""The one look of status page, dashboard and reports: their stylesheet and icon. Pure."""

from __future__ import annotations

from importlib.resources import files


def base_css() -> bytes:
    """Return the stylesheet that all our pages share: colours, type, spacing, tables, charts."""
    return files(__name__).joinpath("base.css").read_bytes()


def icon_svg() -> bytes:
    """Return the icon that a browser shows beside a page's title."""
    return files(__name__).joinpath("icon.svg").read_bytes()
