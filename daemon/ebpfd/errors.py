"""Errors in families, because callers react to them differently.

EbpfdError
 |- RequestError       the caller asked for something impossible or not allowed
 |- AccessDeniedError  the caller may not ask for this at all: no role of his allows it
 '- InvariantError     a bug of ours
"""

from ebpfd_api.result import Result


class EbpfdError(Exception):
    """Root of all errors that the daemon raises on purpose."""


class RequestError(EbpfdError):
    """The request cannot be carried out; nothing has changed.

    ``code`` is what the caller's reply carries, the message names the field and says what to do.
    """

    def __init__(self, code: Result, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AccessDeniedError(EbpfdError):
    """The caller has no role that allows this; nothing has changed.  The message is for him."""


class InvariantError(EbpfdError):
    """A condition that the daemon guarantees did not hold."""
