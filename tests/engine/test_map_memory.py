"""Maps give back all that they took, however many come and go."""

import os
from pathlib import Path
from typing import Final

import pytest

import ebpfd_vm

CYCLES: Final = int(os.environ.get("EBPFD_MAP_CYCLES", "300"))
"""Maps of each type that come and go; 10,000 show a leak of a byte each."""
SLACK: Final = 4 << 20
Template = tuple[int, int, int, int]
TEMPLATE: Final[Template] = (1, 4, 8, 4)

# Type, key size, value size, entries, template.
DECLARATIONS: Final[list[tuple[int, int, int, int, Template | None]]] = [
    (1, 4, 8, 64, None),
    (2, 4, 8, 64, None),
    (3, 4, 4, 64, None),
    (4, 4, 8, 64, None),
    (5, 4, 8, 64, None),
    (6, 4, 4, 64, TEMPLATE),
    (7, 4, 4, 64, TEMPLATE),
    (8, 4, 8, 64, None),
    (9, 8, 8, 64, None),
    (10, 0, 8, 64, None),
    (11, 4, 8, 64, None),
    (12, 0, 8, 64, None),
    (13, 0, 0, 4096, None),
    (14, 0, 0, 4096, None),
]


def _use(live: ebpfd_vm.Map, inner: ebpfd_vm.Map) -> None:
    """Touch what the type has."""
    if live.inner is not None:
        live.set_map(bytes(4), inner, 1)
    elif live.has_records:
        live.write(b"record")
    elif live.type != 3:
        for number in range(8):
            key = number.to_bytes(max(live.key_size, 1), "little")[: live.key_size]
            live.update(key, bytes(live.user_value_size))


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda d: f"type{d[0]}")
@pytest.mark.parametrize("shared", [False, True], ids=["private", "shared"])
def test_maps_that_come_and_go_leave_nothing(
    declaration: tuple[int, int, int, int, Template | None], shared: bool
) -> None:
    """Neither memory nor descriptors grow with the number of maps that were made."""
    kind, key_size, value_size, entries, template = declaration
    if shared and kind in {3, 6, 7}:
        return
    inner = ebpfd_vm.Map(*TEMPLATE)

    def cycle(count: int) -> None:
        for _ in range(count):
            _use(
                ebpfd_vm.Map(kind, key_size, value_size, entries, inner=template, shared=shared),
                inner,
            )

    cycle(20)
    before, descriptors = _resident(), _descriptors()
    cycle(CYCLES)
    assert _resident() - before < SLACK
    assert _descriptors() == descriptors
