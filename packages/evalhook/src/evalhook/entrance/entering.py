"""What decides who may enter, made from the settings."""

from __future__ import annotations

from evalcore.effects import Effects
from evalhook.entrance.allowed_ips import AllowedAddresses
from evalhook.entrance.auth import Credentials
from evalhook.entrance.jwks import KeySet
from evalhook.entrance.oidc import Oidc
from evalhook.entrance.tokens import Tokens
from evalhook.secret import Scrubber
from evalhook.settings import Settings


def open_credentials(settings: Settings, effects: Effects, scrub: Scrubber) -> Credentials:
    """Make what checks tokens: the shared ones, and those of GitHub Actions where they are set up."""
    # A token that comes with a rotation is masked from then on, as the first one is.
    tokens = Tokens(*settings.token_sources, learned=scrub.learn)
    if settings.oidc is None:
        return Credentials(tokens)
    keys = KeySet(settings.oidc.issuer, monotonic=effects.monotonic)
    return Credentials(tokens, Oidc(settings.oidc, keys))


def open_allowed(settings: Settings) -> AllowedAddresses:
    """Make what knows which addresses may call."""
    kept = settings.state_dir / "github-meta.json"
    return AllowedAddresses(settings.allowed_ips, api_url=settings.github_api_url, kept=kept)
