"""EVALHOOK_OIDC_ALLOW: which workflows may call, by what GitHub's token claims of them.

    repository=org/library ref=refs/heads/main; repository=org/other environment=evaluation

Rules are separated by `;`, a rule's claims by white space; a value with spaces is quoted. All
claims of one rule must hold, of any rule.
"""

from __future__ import annotations

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
HOW: Final = "write it as repository=owner/name ref=refs/heads/main; repository=..."


class TokenRule(Frozen, frozen=True):
    """Claims that must all hold."""

    claims: tuple[tuple[str, str], ...]

    def allows(self, claims: Mapping[str, object]) -> bool:
        """Whether a token's claims are those of the rule."""
        return all(_equal(name, claims.get(name), wanted) for name, wanted in self.claims)


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
    if IDENTIFYING.isdisjoint(names):
        raise Unusable("has a rule that holds for any repository on GitHub", "name the repository in each")
    return TokenRule(tuple(claims))


def _equal(name: str, claimed: object, wanted: str) -> bool:
    # No conversion: a claim that is absent or a number equals no text.
    if not isinstance(claimed, str):
        return False
    return claimed.lower() == wanted.lower() if name in WITHOUT_CASE else claimed == wanted
