"""Why a TLS connection cannot be made: gRPC's account of it helps nobody."""

import asyncio
import ssl
from datetime import UTC, datetime
from typing import Final

from ebpfd_api.address import Endpoint
from ebpfd_api.validity import time_problems, validity_of
from ebpfd_sdk._certificates import Certificates

ATTEMPT_S: Final = 5.0

# Numbers of X.509's verification, as OpenSSL has them.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_HOST: Final = frozenset({62, 64})


async def tls_trouble(endpoint: Endpoint, certificates: Certificates) -> tuple[str, str] | None:
    """What is wrong, found by another attempt, and what to do; None: nothing about certificates."""
    try:
        async with asyncio.timeout(ATTEMPT_S):
            reader, writer = await asyncio.open_connection(
                endpoint.host, endpoint.port, ssl=certificates.context()
            )
            try:
                # A daemon that takes the certificate speaks first; one that does not hangs up.
                said = await reader.read(1)
            finally:
                writer.close()
    except ssl.SSLCertVerificationError as error:
        return await _of_daemon(endpoint, certificates, error)
    except ConnectionResetError:
        said = b""
    except ssl.SSLError as error:
        return f"no TLS is spoken there: {error.reason or error}", "name another address"
    except OSError:  # also a TimeoutError: nobody is there
        return None
    if said:
        return None
    cert = certificates.path("cert")
    for problem in filter(None, time_problems(cert.read_bytes())):
        return f"it does not take the certificate {cert}: {problem}", "use one that is valid now"
    return (
        f"it does not take the certificate {cert}",
        "use one that is valid now, and issued by an authority in its --client-ca",
    )


async def _of_daemon(
    endpoint: Endpoint, certificates: Certificates, error: ssl.SSLCertVerificationError
) -> tuple[str, str]:
    """What is wrong with the daemon's certificate."""
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        why = await _time_of_daemon(endpoint, certificates) or error.verify_message
        return f"its certificate does not count: {why}", "give it a new one (--cert of `ebpfd run`)"
    if error.verify_code in _OTHER_HOST:
        return (
            f"its certificate is not for {endpoint.host}",
            "use a name that it has, or give it one with this name (subjectAltName)",
        )
    unknown = f"its certificate is from no authority in {certificates.path('ca')}"
    return (
        f"{unknown} ({error.verify_message})",
        "name the file of the right one with --ca or EBPFD_CA",
    )


async def _time_of_daemon(endpoint: Endpoint, certificates: Certificates) -> str:
    """The date that is in the way, from the certificate itself, which nothing else is done with."""
    context = certificates.context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(ATTEMPT_S):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context)
            try:
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.close()
        return validity_of(shown or b"").problem(datetime.now(UTC))
    except (OSError, ValueError):
        return ""
