"""What the pages need beside them: stylesheets, the script, Plotly and its licence, the icon."""

from __future__ import annotations

import functools
import re
from importlib.resources import files
from typing import Final

from evalcore.formats.strict_json import sha256_hex
from evalcore.reports.style import base_css, icon_svg

_STATIC: Final = ("plotly-LICENSE.txt", "plotly-basic.min.js", "plotly.css", "site.css", "site.js")
_OWN: Final = ".evaluations"
_REM: Final = 0.8
_PLAIN: Final = """\
&& { background: none; font: inherit; margin: 0; max-width: none; padding: 0; }
.card { overflow-x: auto; }
details { background: none; border: 0; box-shadow: none; font-size: inherit; margin: 0; padding: 0; }
summary { background: none; font-weight: 400; padding: 0.2rem 1.6rem 0.2rem 0; }
summary::before { display: none; }
figure { margin: 0 0 0.8rem; max-width: none; width: auto; }
figcaption { font-style: normal; margin: 0 0 0.4rem; max-width: none; text-align: left; }
"""
_DARK: Final = "@media (prefers-color-scheme: dark) {\n  :root {"


def assets(*, is_embedded: bool) -> dict[str, bytes]:
    """Return the files by name; inside MkDocs the stylesheets hold within our own part of a page alone."""
    found = {name: files(__package__).joinpath("static", name).read_bytes() for name in _STATIC}
    found["icon.svg"] = icon_svg()
    found["base.css"] = base_css()
    if is_embedded:
        for name in ("base.css", "site.css"):
            found[name] = _within(found[name].decode()).encode()
    return dict(sorted(found.items()))


@functools.cache
def look_sha256() -> str:
    """Return the hash of the templates and of the code beside them: what changes pages without their data."""
    folder = files(__package__)
    parts = [
        one for where in (folder, folder.joinpath("templates")) for one in where.iterdir() if one.is_file()
    ]
    charts = [one for one in folder.joinpath("..", "charts").iterdir() if one.is_file()]
    # Folders list their files in any order; the hash must not depend on it.
    ordered = sorted((*parts, *charts), key=lambda one: one.name)
    return sha256_hex(b"\0".join(one.name.encode() + b"\0" + one.read_bytes() for one in ordered))


def _within(css: str) -> str:
    """Let a stylesheet hold inside our part of a page of MkDocs, and follow its choice of light or dark."""
    # Rules of a whole page cannot be nested, and the page is the theme's; what is said of root or body is
    # said of our part.
    css = css.replace(_DARK, '@media all {\n  [data-md-color-scheme="slate"] & {')
    css = (
        css.replace("@page { margin: 1.5cm; }\n", "")
        .replace(":root {", "& {")
        .replace("\nbody {", "\n& {")
        .replace("body.evaluations {", "& {")
    )
    # Its `rem` is 20 pixels and more, and its text 0.8 of it.
    length = re.compile(r"((?<![\d.])\d{0,6}(?:\.\d{1,6})?)(?<=\d)rem\b")
    css = length.sub(lambda found: f"{float(found[1]) * _REM:.4g}rem", css)
    # Named three times, so that its own rules for lists and tables are not the more specific ones.
    return f"{_OWN * 3} {{\n{css}\n{_PLAIN}}}\n"
