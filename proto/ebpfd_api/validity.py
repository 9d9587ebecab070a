"""Certificates' time: when the ones in a file are valid, read without a library for X.509.

    Certificate    ::= SEQUENCE { tbsCertificate, ... }
    TBSCertificate ::= SEQUENCE { [0] version OPTIONAL, serialNumber, signature, issuer,
                                  validity SEQUENCE { notBefore, notAfter }, ... }

Python's ``ssl`` says these dates only of a peer's certificate that it has taken already.
"""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----", re.ASCII | re.DOTALL
)
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_BEFORE_VALIDITY: Final = 3
"""Serial number, signature's algorithm and issuer."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The time in which a certificate counts, both ends included."""

    begins: datetime
    ends: datetime

    def problem(self, now: datetime) -> str:
        """Why it does not count *now*, with the date; empty: it does."""
        if now > self.ends:
            return f"it expired on {_date(self.ends)}"
        if now < self.begins:
            return f"it is not valid before {_date(self.begins)}"
        return ""


def validity_of(certificate: bytes) -> Validity:
    """When a certificate in DER form is valid; ``ValueError`` if it is none."""
    try:
        ((_, whole),) = _items(certificate)
        (_, signed), *_ = _items(whole)
        fields = [each for each in _items(signed) if each[0] != _VERSION]
        begins, ends = (_time(*each) for each in _items(fields[_BEFORE_VALIDITY][1]))
    except (IndexError, ValueError) as error:
        raise ValueError(f"this is no certificate: {error}") from None
    return Validity(begins, ends)


def time_problems(pem: bytes, now: datetime | None = None) -> list[str]:
    """Why each certificate in *pem* does not count *now*; empty: it does.

    One that cannot be read here is for OpenSSL to judge.
    """
    now = now or datetime.now(UTC)
    return [validity.problem(now) if validity else "" for validity in _validities(pem)]


def earliest_end(pem: bytes) -> datetime | None:
    """When the first of the certificates in *pem* expires; None: there is none to read."""
    return min((validity.ends for validity in _validities(pem) if validity), default=None)


def _validities(pem: bytes) -> Iterator[Validity | None]:
    """Of each certificate in *pem*; None of one that cannot be read here."""
    for block in _PEM.findall(pem):
        try:
            yield validity_of(ssl.PEM_cert_to_DER_cert(block.decode("ascii")))
        except ValueError:
            yield None


def _items(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents, one after the other."""
    at = 0
    while at < len(content):
        tag, length = content[at], content[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(content[at : at + size], "big")
            at += size
        if at + length > len(content):
            raise ValueError("it ends early")
        yield tag, content[at : at + length]
        at += length


def _time(tag: int, content: bytes) -> datetime:
    """UTCTime or GeneralizedTime, as RFC 5280 (4.1.2.5) lets them be written."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _date(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
