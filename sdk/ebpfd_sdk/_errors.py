"""Everything that the SDK raises, and whose turn it is when it does.

EbpfdError              the daemon said no; ``code`` says why
  VerificationFailed    ... because a program is not safe; ``rejections`` say where
  RegistrationRefused   ... to an extension that wanted to register
  DaemonUnavailable     the daemon could not say anything
Refused                 raised by an extension's ``on_attach``: it does not want this link; or by
                        a custom map: it does not want this value, map or program
DeclarationError        a context, helper or hook is declared wrongly: fix the source
"""

from ebpfd_api.ntstatus import NtStatus, ntstatus_name
from ebpfd_api.result import Result, result_name
from ebpfd_sdk._values import Rejection


class EbpfdError(Exception):
    """The daemon refused what it was asked for."""

    def __init__(self, code: Result, message: str) -> None:
        super().__init__(message or result_name(code))
        self.code = code
        self.message = message


class VerificationFailed(EbpfdError):  # noqa: N818 (reads as what happened)
    """The verifier could not prove a program safe."""

    def __init__(self, message: str, rejections: tuple[Rejection, ...]) -> None:
        super().__init__(Result.VERIFICATION_FAILED, message)
        self.rejections = rejections


class RegistrationRefused(EbpfdError):  # noqa: N818 (same)
    """The registrar did not take a program type or a hook."""

    def __init__(self, what: str, status: int, message: str) -> None:
        name = ntstatus_name(status)
        super().__init__(
            Result.EXTENSION_FAILED_TO_LOAD,
            f"the daemon did not register {what} ({name}): {message or 'no reason given'}",
        )
        self.status = status


class DaemonUnavailable(EbpfdError):  # noqa: N818 (same)
    """No daemon answers at this address, or the one that did is gone."""

    def __init__(self, address: str, reason: str, advice: str = "") -> None:
        """*advice* is for a reason that another start of the daemon would not mend."""
        super().__init__(
            Result.RPC_EXCEPTION,
            f"no connection to the daemon at {address}: {reason}: {advice}"
            if advice
            else f"no daemon at {address} ({reason}): start it with `ebpfd run`, "
            "or name another with --address or EBPFD_ADDRESS",
        )
        self.address = address
        self.reason = reason


class Refused(Exception):  # noqa: N818 (same)
    """An extension's answer to a link that it does not want, or to something of a custom map.

    *status* is of links, *result* of maps.
    """

    def __init__(
        self,
        message: str,
        *,
        status: NtStatus = NtStatus.ACCESS_DENIED,
        result: Result = Result.INVALID_ARGUMENT,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.result = result


class DeclarationError(TypeError):
    """A declaration contradicts itself or the contracts of eBPF."""
