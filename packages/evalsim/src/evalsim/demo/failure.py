"""How the demo fails: in one line, with an exit code."""

from __future__ import annotations

from typing import ClassVar

from evalcore.errors import EvaluatorError


class DemoError(EvaluatorError):
    """A step did not happen."""

    code = "demo"
    exit_code: ClassVar[int] = 1


class DemoInputError(DemoError):
    """What the user named cannot be shown: there is nothing wrong with the demo."""

    code = "demo_input"
    exit_code = 2
