"""How the demo fails: in one line, with an exit code."""

from __future__ import annotations

from typing import ClassVar

from evalcore.errors import EvaluatorError


class DemoError(EvaluatorError):
    """A step did not happen; `log` is the end of the service's log, where it was running."""

    code = "demo"
    exit_code: ClassVar[int] = 1
    log: tuple[str, ...] = ()


class DemoInputError(DemoError):
    """What the user named cannot be shown: there is nothing wrong with the demo."""

    code = "demo_input"
    exit_code = 2
