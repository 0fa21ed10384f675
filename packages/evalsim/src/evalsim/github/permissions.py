"""What a fine-grained token or an App's must be allowed for a call.

Source: https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps. Where several
are named, one of them is enough.
"""

from __future__ import annotations

import re
from typing import Final

from evalsim.github.request import ApiError, Request
from evalsim.github.state import Token

EITHER: Final = ("issues", "pull_requests")
# The first that fits counts: merging needs other rights than all else of a pull request.
REQUIRED: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"PUT /pulls/\d+/merge", ("contents",)),
    (r"\w+ /pulls(/.*)?", ("pull_requests",)),
    (r"GET /commits/\w+/pulls", ("pull_requests",)),
    (r"GET /commits/\w+/statuses", ("statuses",)),
    (r"POST /statuses/\w+", ("statuses",)),
    (r"POST /actions/.*", ("actions",)),
    (r"POST /issues", ("issues",)),
    (r"\w+ /(issues|labels)(/.*)?", EITHER),
    (r"\w+ /(branches|git|contents|commits)(/.*)?", ("contents",)),
)
"""By method and path within a repository; what is not here needs no more than the metadata."""


def require_permission(caller: Token, request: Request, path: str) -> None:
    """Refuse a call that the token may not make, naming the permission as GitHub does."""
    level = "read" if request.method == "GET" else "write"
    names = _required(f"{request.method} {path}")
    if caller.access != "write" and level == "write":
        raise _refusal(caller, names, level)
    if names and not any(caller.allows(name, level=level) for name in names):
        raise _refusal(caller, names, level)


def _required(call: str) -> tuple[str, ...]:
    return next((names for pattern, names in REQUIRED if re.fullmatch(pattern, call)), ())


def _refusal(caller: Token, names: tuple[str, ...], level: str) -> ApiError:
    kind = "integration" if caller.login.endswith("[bot]") else "personal access token"
    accepted = "; ".join(f"{name}={level}" for name in names)
    headers = (("X-Accepted-GitHub-Permissions", accepted),) if accepted else ()
    return ApiError(403, f"Resource not accessible by {kind}", headers=headers)
