"""What is said when a name or a section means no contract, or several."""

from collections.abc import Generator
from contextlib import contextmanager

from ebpfd.contracts import AmbiguousContractError, ContractLookupError
from ebpfd.errors import RequestError
from ebpfd_api.result import Result


@contextmanager
def looked_up() -> Generator[None]:
    """``RequestError`` OBJECT_NOT_FOUND names those known, INVALID_ARGUMENT those that suit."""
    try:
        yield
    except AmbiguousContractError as error:
        raise RequestError(Result.INVALID_ARGUMENT, str(error)) from None
    except ContractLookupError as error:
        raise RequestError(Result.OBJECT_NOT_FOUND, str(error)) from None
