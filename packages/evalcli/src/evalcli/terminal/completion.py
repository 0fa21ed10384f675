"""Parameters that a shell completes; what finds the names is loaded only when a shell asks for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import click

FINDER: Final = "evalcli.evaluation.completion"
"""The module whose `complete` finds the names: it reads libraries, which no command need load for this."""
Names: TypeAlias = Literal["components", "cases", "models", "versions", "providers", "runs", "run_cases"]


def completed_by(names: Names) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return what click asks for the names that begin with what has been typed."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        del parameter
        # By its name: an import would load libraries' readers for every command, `--help` included.
        found: list[str] = importlib.import_module(FINDER).complete(names, context, incomplete)
        return found

    return complete
