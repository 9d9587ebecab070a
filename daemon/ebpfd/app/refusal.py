"""Why a daemon does not start: in one line, with what can be done about it."""

from collections.abc import Iterator
from typing import cast

from ebpfd.app.config_table import SettingsError
from ebpfd.app.locks import InUseError
from ebpfd.store import StoreError
from ebpfd.store.advice import told


class NotStartedError(Exception):
    """The daemon does not start, and the message says why."""


def refusal(error: BaseException) -> str | None:
    """What is behind *error*, however deep; None: nothing that whoever runs it could change."""
    leaves = list(_leaves(error))
    for leaf in leaves:
        if isinstance(leaf, InUseError | StoreError | SettingsError):
            return str(leaf)
    return next((told(leaf) for leaf in leaves if isinstance(leaf, OSError)), None)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(each)
    else:
        yield error
