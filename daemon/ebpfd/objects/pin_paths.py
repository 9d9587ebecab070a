r"""Pin paths in their one form, as in eBPF for Windows: ``BPF:\my\pin\path``.

However a path is written, /my/pin/path, my\pin\.\path or /ebpf/global/my/pin/path, it is the same
pin.  Case counts, but in the prefix.
"""

from typing import Final

from ebpfd.errors import RequestError
from ebpfd_api.result import Result

PREFIX: Final = "BPF:"
GLOBAL: Final = "\\ebpf\\global\\"
"""Where maps go that are pinned by name; it is left out."""

MAX_BYTES: Final = 255


def canonical(path: str) -> str:
    """The one form of *path*; ``RequestError`` INVALID_ARGUMENT or INSUFFICIENT_BUFFER."""
    _check_length(path, Result.INVALID_ARGUMENT)
    if "\0" in path:
        raise _invalid(path, "has a zero byte in it")
    has_prefix = path[: len(PREFIX)].upper() == PREFIX
    rest = (path[len(PREFIX) :] if has_prefix else path).replace("/", "\\")
    if ":" in rest:
        raise _invalid(path, 'has a colon in it, which only the prefix "BPF:" may have')
    if not rest.startswith("\\"):
        rest = "\\" + rest
    if rest[: len(GLOBAL)].lower() == GLOBAL:
        rest = rest[len(GLOBAL) - 1 :]
    parts: list[str] = []
    for part in rest.split("\\"):
        if part == "..":
            if not parts:
                raise _invalid(path, "leads above the root")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    whole = PREFIX + "\\" + "\\".join(parts)
    _check_length(whole, Result.INSUFFICIENT_BUFFER)
    return whole


def pin_path(path: str) -> str:
    """The one form of a *path* that something can be pinned to: not the root."""
    whole = canonical(path)
    if whole == PREFIX + "\\":
        raise _invalid(path, "names nothing: write one like /my/pin")
    return whole


def path_by_name(name: str) -> str:
    """Where a map goes whose declaration says that it is pinned by name."""
    return pin_path(f"/ebpf/global/{name}")


def _check_length(path: str, code: Result) -> None:
    size = len(path.encode(errors="surrogatepass"))
    if not 1 <= size <= MAX_BYTES:
        raise RequestError(code, f"path has {size} bytes: 1 to {MAX_BYTES} are possible")


def _invalid(path: str, why: str) -> RequestError:
    return RequestError(Result.INVALID_ARGUMENT, f"path {path!r} {why}")
