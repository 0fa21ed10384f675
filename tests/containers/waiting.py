"""Waiting for what other processes do, which no event tells of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")
PATIENCE = 4
"""How many times as long is waited as a machine needs that has little else to do: others may use it, too."""


def until(probe: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """The first true value of the probe; a failure once a multiple of the time, PATIENCE, is up."""
    deadline = time.monotonic() + PATIENCE * seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE * seconds:.0f} s: {what}")
        time.sleep(0.1)
    return value
