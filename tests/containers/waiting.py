"""Waiting for what other processes do, which no event tells of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


def until(probe: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """The first true value of the probe; a failure once the time is up."""
    deadline = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return value
