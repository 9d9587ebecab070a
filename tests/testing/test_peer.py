"""A module as a registrar without a daemon sees it."""

import pytest

from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk.testing._peer import Peer, PeerError


def test_who_has_no_data_stream_cannot_be_fired_at() -> None:
    """One that dies may connect once more without it: its checks fail, and not the run of them."""
    with pytest.raises(PeerError, match="it has no data stream"):
        Peer().fire(bytes(16), hook_pb2.Batch(count=1))
