"""An authority of the tests' own, for certificates as somebody might bring them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates of servers."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests of the evaluator")])
        usage = x509.KeyUsage(
            **dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
            ),
            **dict.fromkeys(("encipher_only", "decipher_only"), False),
            **dict.fromkeys(("digital_signature", "key_cert_sign", "crl_sign"), True),
        )
        own = self._of(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate = own.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())

    def _of(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key)
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=2))
        return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def write_certificate(self, folder: Path, *names: str) -> int:
        """Write fullchain.pem and privkey.pem for these names, each in one step; the serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = self._of(subject, key.public_key()).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = made.add_extension(authority, critical=False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write(folder / "fullchain.pem", signed.public_bytes(serialization.Encoding.PEM) + self.pem)
        write(folder / "privkey.pem", private)
        return signed.serial_number


def write(file: Path, data: bytes) -> None:
    """Put a file in place in one step, readable by a root without its powers who may not be its owner."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(data)
    new.chmod(0o444)
    new.rename(file)
