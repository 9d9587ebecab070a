"""Certificates for tests, made when they are needed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from ebpfd_sdk import Certificates

DAY: Final = timedelta(days=1)
FAR_AHEAD: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in files."""

    cert: Path
    key: Path
    until: datetime = FAR_AHEAD

    def known_by(self, ca: Path) -> Certificates:
        """The files of a client with this certificate."""
        return Certificates(self.cert, self.key, ca)

    def serving(self, client_ca: Path) -> tuple[str, ...]:
        """The options of a daemon with this certificate."""
        return ("--cert", str(self.cert), "--key", str(self.key), "--client-ca", str(client_ca))


class Authority:
    """Issues certificates, into a folder."""

    def __init__(self, folder: Path, name: str = "ca", *, valid: timedelta = 30 * DAY) -> None:
        self._folder = folder
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._name, self._key, valid)
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        made = builder.add_extension(constraint, critical=True).sign(self._key, SHA256())
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(made.public_bytes(Encoding.PEM))

    def issue(
        self,
        file: str,
        *names: str,
        began: timedelta = -20 * DAY,
        valid: timedelta = 10 * DAY,
        common: str = "somebody",
        password: bytes = b"",
    ) -> Issued:
        """A certificate for DNS *names*; one that is *valid* less than no time has expired.

        Both times are from now.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common), self._name, key, valid, began)
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
            builder = builder.add_extension(alternatives, critical=False)
        made = builder.sign(self._key, SHA256())
        until = made.not_valid_after_utc
        issued = Issued(self._folder / f"{file}.pem", self._folder / f"{file}.key", until)
        encryption = BestAvailableEncryption(password) if password else NoEncryption()
        # The key first, as a careful operator would not: a daemon must not mind.
        issued.key.touch(mode=0o600)
        issued.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        issued.cert.write_bytes(made.public_bytes(Encoding.PEM))
        return issued


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid: timedelta,
    began: timedelta = -20 * DAY,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + began)
        .not_valid_after(now + valid)
    )
