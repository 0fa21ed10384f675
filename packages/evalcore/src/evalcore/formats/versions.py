"""Versions as semver has them (semver.org 2.0.0): read, compared, put in order."""

from __future__ import annotations

from typing import TypeAlias

import semver

Version: TypeAlias = semver.Version


def parse_version(text: str, *, is_short_allowed: bool = False) -> Version | None:
    """Return a version; None for what is no semver.

    With `is_short_allowed`, `1.2` is 1.2.0: people write it so by hand.
    """
    try:
        return Version.parse(text, optional_minor_and_patch=is_short_allowed)
    except ValueError:
        return None


def version_order(text: str) -> tuple[bool, Version, str]:
    """Return a key to sort by: what is no semver first, by its text; then versions, lowest first.

    Versions that differ in nothing but their build are equal.
    """
    version = parse_version(text)
    return (True, version, "") if version is not None else (False, Version(0), text)
