"""Names of the gRPC metadata that the API gives a meaning."""

from typing import Final

SESSION: Final = "ebpfd-session"
"""On ``Hook.Invoke``: the session whose bindings this stream runs (``Welcome.session_id``)."""

TOKEN: Final = "ebpfd-token"  # noqa: S105 (its name)
"""On any call over a Unix socket: what the hello socket beside it has given this process."""

OWNER: Final = "ebpfd-owner"
"""On calls that make objects: the token of the owner that they die with."""

LET_IN: Final = "ebpfd-let-in"
"""A stream of fires has this when it opens; one that is refused ends without it."""
