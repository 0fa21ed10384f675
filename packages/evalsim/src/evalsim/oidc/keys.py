"""RSA keys that sign tokens, and what an issuer publishes of them."""

from __future__ import annotations

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

BITS = 2048
PUBLIC_EXPONENT = 65537


class SigningKey:
    """One key pair with its id."""

    def __init__(self, kid: str, bits: int = BITS) -> None:
        self.kid = kid
        self._private = rsa.generate_private_key(PUBLIC_EXPONENT, bits)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as a JSON Web Key."""
        public: dict[str, Any] = RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": "RS256"}

    @property
    def public_pem(self) -> bytes:
        """The public half as a forger gets it, to sign with as if it were a shared secret."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(
        self, claims: dict[str, Any], headers: dict[str, Any] | None = None, algorithm: str = "RS256"
    ) -> str:
        """Sign claims; `headers` go into the token's header beside the key's id, or in its place."""
        return jwt.encode(
            claims, self._private, algorithm=algorithm, headers={"kid": self.kid, **(headers or {})}
        )
