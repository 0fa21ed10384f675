"""The scoring policy that a component has now, in the prompt library or its data sets."""

from __future__ import annotations

from pathlib import Path

from evalcli.leaderboards.places import data_sets_of
from evalcore.errors import CheckoutError, ComponentError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.checkout import Checkout, FolderCheckout
from evalcore.library.loader import PolicyText, check_slug, read_policy
from evalcore.structs import Frozen


class PolicyHash(Frozen, frozen=True):
    """By which policy a component is scored now, where that is known."""

    sha256: str | None
    """None where the component has none."""


def current_policy(library: Checkout, data_sets: Checkout | None, slug: str) -> PolicyText:
    """Return the policy that a component has now; raises ComponentError."""
    check_slug(library, slug)
    try:
        return read_policy(library, data_sets, slug)
    except CheckoutError as error:
        raise ComponentError(error.what, where=error.where, hint=error.hint) from None


def current_policy_sha256(prompt_library: Path, data_sets: Path | None, slug: str) -> PolicyHash | None:
    """Return the SHA-256 of a component's present policy; None where no such component can be read."""
    beside = data_sets_of(prompt_library, data_sets)
    try:
        return PolicyHash(policy_sha256(current_policy(FolderCheckout(prompt_library), beside, slug)))
    except ComponentError:
        return None


def policy_sha256(policy: PolicyText) -> str | None:
    """Return the SHA-256 that records name a policy by; None where there is none."""
    return None if policy[0] is None else sha256_hex(policy[0].encode())
