"""The simulated issuer of GitHub Actions' tokens, over real HTTP, with real keys."""

from evalsim.oidc.app import SimulatedIssuer
from evalsim.oidc.keys import SigningKey

__all__ = ["SigningKey", "SimulatedIssuer"]
