"""Loads PyGithub and what is built on it, which the start need not wait 0.4 s for.

In one place and under one lock: threads that load modules of one another at the same time are given
half-loaded ones, since Python lets no import wait for itself in a circle.
"""

from __future__ import annotations

import threading
from importlib import import_module

_MODULES = (
    "evalhook.publishing.github",
    "evalhook.publishing.github_tokens",
    "evalhook.publishing.github_reports",
    "evalhook.publishing.report_words",
    "evalhook.publishing.publish",
    "evalhook.publishing.refresh",
)
_loading = threading.Lock()


def load_github() -> None:
    """See that they are loaded; whoever imports them inside a function calls this first."""
    with _loading:
        for name in _MODULES:
            import_module(name)
