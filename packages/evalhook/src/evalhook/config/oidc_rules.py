"""EVALHOOK_OIDC_ALLOW: which workflows may call, by what GitHub's token claims of them.

    repository=org/library ref=refs/heads/main; repository=org/other environment=evaluation

Rules are separated by `;`, a rule's claims by white space; a value with spaces is quoted. All
claims of one rule must hold, of any rule.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

from evalcore.structs import Frozen
from evalhook.config.values import Unusable

GITHUB_ISSUER: Final = "https://token.actions.githubusercontent.com"
CLAIMS: Final = (
    "repository", "repository_id", "repository_owner", "repository_owner_id", "ref", "environment",
    "workflow", "workflow_ref", "job_workflow_ref", "event_name", "sub",
)  # fmt: skip
IDENTIFYING: Final = frozenset({"repository", "repository_id", "sub"})
"""Without one of these a rule would hold for workflows of any repository on GitHub."""
WITHOUT_CASE: Final = frozenset({"repository", "repository_owner"})
"""GitHub's names of owners and repositories have no case."""
SUBJECT: Final = re.compile(
    r"repo:(?P<owner>[\w-]+)(?:@(?P<owner_id>\d{1,20}))?/(?P<name>[\w.-]+)(?:@(?P<id>\d{1,20}))?(?P<rest>:.*)?",
    re.ASCII | re.DOTALL,
)
"""A subject of GitHub's; in repositories made after 2026-07-15 owner and name carry their ids.

Neither name can hold an `@`: https://docs.github.com/en/actions/reference/security/oidc.
"""
IDS: Final = (("owner_id", "repository_owner_id"), ("id", "repository_id"))
"""A part of the subject, and the claim that says the same."""
HOW: Final = "write it as repository=owner/name ref=refs/heads/main; repository=..."


class TokenRule(Frozen, frozen=True):
    """Claims that must all hold."""

    claims: tuple[tuple[str, str], ...]

    def allows(self, claims: Mapping[str, object]) -> bool:
        """Whether a token's claims are those of the rule."""
        return all(
            _is_same_subject(claims, wanted) if name == "sub" else _equal(name, claims.get(name), wanted)
            for name, wanted in self.claims
        )


class OidcSettings(Frozen, frozen=True):
    """Whose tokens are taken, and for whom they must be made."""

    issuer: str
    audience: str
    rules: tuple[TokenRule, ...]


def parse_rules(text: str) -> tuple[TokenRule, ...]:
    """Read the setting; raises Unusable."""
    lexer = shlex.shlex(text.replace("\n", ";"), posix=True, punctuation_chars=";")
    lexer.whitespace_split = True
    # By default `#` would begin a comment and cut a rule short without a word.
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        raise Unusable("has a quote that is not closed", HOW) from None
    rules: list[list[tuple[str, str]]] = [[]]
    for word in words:
        if word.strip(";"):
            rules[-1].append(_claim(word))
        else:
            rules.append([])
    found = tuple(_rule(claims) for claims in rules if claims)
    if not found:
        raise Unusable("holds no rule", HOW)
    return found


def _claim(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not value or name not in CLAIMS:
        raise Unusable(f"holds something that is none of the claims {', '.join(CLAIMS)}", HOW)
    return name, value


def _rule(claims: list[tuple[str, str]]) -> TokenRule:
    names = [name for name, _ in claims]
    if len(set(names)) != len(names):
        raise Unusable("has a rule that names a claim twice", "write two rules, separated by `;`")
    # Anybody's workflow on GitHub gets tokens of this issuer, for any audience that it names.
    if IDENTIFYING.isdisjoint(names):
        raise Unusable("has a rule that holds for any repository on GitHub", "name the repository in each")
    return TokenRule(tuple(claims))


def _equal(name: str, claimed: object, wanted: str) -> bool:
    # No conversion: a claim that is absent or a number equals no text.
    if not isinstance(claimed, str):
        return False
    return claimed.lower() == wanted.lower() if name in WITHOUT_CASE else claimed == wanted


def _is_same_subject(claims: Mapping[str, object], wanted: str) -> bool:
    """Whether a token's subject is the one of a rule, with or without ids in either.

    Ids in the rule must be those of the token, in its subject or in the claims of their own; a rule without
    them takes any.
    """
    claimed = claims.get("sub")
    if not isinstance(claimed, str):
        return False
    mine, theirs = SUBJECT.fullmatch(wanted), SUBJECT.fullmatch(claimed)
    if mine is None or theirs is None:
        return claimed == wanted
    if any(mine[part] != theirs[part] for part in ("owner", "name", "rest")):
        return False
    return all(mine[part] in {None, theirs[part] or claims.get(claim)} for part, claim in IDS)
