"""What is given beside an event's context, looked at before it can harm the events beside it."""


def event_bytes(data: bytes, parameter: bytes | None) -> tuple[bytes, bytes | None]:
    """Return both as bytes, of which nobody changes any more; ``TypeError`` names what is none."""
    if type(data) is not bytes:
        data = _bytes("data", data)
    if parameter is not None and type(parameter) is not bytes:
        parameter = _bytes("parameter", parameter)
    return data, parameter


def _bytes(name: str, given: object) -> bytes:
    if isinstance(given, bytes | bytearray):
        return bytes(given)
    if isinstance(given, memoryview):
        return given.tobytes()
    raise TypeError(f"{name} must be bytes, not {type(given).__name__}")
