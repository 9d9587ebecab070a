"""What is given beside an event's context, looked at before it can harm the events beside it."""

from typing import Final

from ebpfd_sdk._layout import Layout

MOST_BYTES: Final = 65534
MOST_META_BYTES: Final = 4098
"""Data and metadata of one event: the daemon runs no message in which an event has more."""


def event_bytes(data: bytes, parameter: bytes | None) -> tuple[bytes, bytes | None]:
    """Return both as bytes, of which nobody changes any more; ``TypeError`` names what is none."""
    if type(data) is not bytes:
        data = _bytes("data", data)
    if parameter is not None and type(parameter) is not bytes:
        parameter = _bytes("parameter", parameter)
    return data, parameter


def check_data(layout: Layout, data: bytes, meta_length: int) -> None:
    """Refuse data that no such event can have, or what cannot be metadata at its beginning."""
    if not layout.has_data:
        raise ValueError(
            f"data has {len(data)} bytes: {layout.owner} has no field of type Data, so its events "
            "have none"
        )
    if meta_length:
        _check_meta_length(layout, data, meta_length)
    if len(data) - meta_length > MOST_BYTES:
        raise ValueError(
            f"data has {len(data) - meta_length} bytes: an event has at most {MOST_BYTES}"
        )


def _check_meta_length(layout: Layout, data: bytes, meta_length: int) -> None:
    _check_int(meta_length)
    if not layout.has_meta:
        problem = f"{layout.owner} has no field of type DataMeta, so its events have no metadata"
    elif not 0 <= meta_length <= len(data):
        problem = f"data has {len(data)} bytes, which begin with the metadata"
    elif meta_length > MOST_META_BYTES:
        problem = f"an event has at most {MOST_META_BYTES} bytes of metadata"
    else:
        return
    raise ValueError(f"meta_length is {meta_length}: {problem}")


def _check_int(given: object) -> None:
    if not isinstance(given, int):
        raise TypeError(f"meta_length must be an int, not {type(given).__name__}")


def _bytes(name: str, given: object) -> bytes:
    if isinstance(given, bytes | bytearray):
        return bytes(given)
    if isinstance(given, memoryview):
        return given.tobytes()
    raise TypeError(f"{name} must be bytes, not {type(given).__name__}")
