"""Pin paths in their one form: the table of eBPF for Windows, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.errors import RequestError
from ebpfd.objects.pin_paths import canonical, path_by_name, pin_path
from ebpfd_api.result import Result

SAME = (
    "BPF:\\.\\my\\pin\\path", "BPF:/./my/pin/path", "my/pin/path", "my/pin/./path", "my/pin//path",
    "my/pin/././././path", "my/pin/oops/../path", "my/pin/oops/again/../../path",
    "my\\pin\\path\\oops\\..", "\\my\\pin\\path", "\\my\\pin/path", "/ebpf/global/my/pin/path",
)  # fmt: skip

OTHERS = (
    ("/sys/fs/bpf/my/pin/path", "BPF:\\sys\\fs\\bpf\\my\\pin\\path"),
    ("My/Pin/Path", "BPF:\\My\\Pin\\Path"),
    ("bpf:/my", "BPF:\\my"),
    ("/EBPF/Global/my", "BPF:\\my"),
    ("/ebpf/global", "BPF:\\ebpf\\global"),
    ("/ebpf/globally/my", "BPF:\\ebpf\\globally\\my"),
    ("my/.../path", "BPF:\\my\\...\\path"),
    ("/my/..", "BPF:\\"),
)


@pytest.mark.parametrize("path", SAME)
def test_ways_to_write_one_path(path: str) -> None:
    """All of them name one pin."""
    assert canonical(path) == "BPF:\\my\\pin\\path"


@pytest.mark.parametrize(("path", "wanted"), OTHERS)
def test_other_paths(path: str, wanted: str) -> None:
    """Only the prefix and the global folder are left out; case is kept."""
    assert canonical(path) == wanted


@pytest.mark.parametrize(
    "path", ["..", "/..", "/mypinpath/../..", "C:\\", "BPF:BPF:/my", "", "my\0pin", "a" * 256]
)
def test_what_is_no_path(path: str) -> None:
    """INVALID_ARGUMENT, and the message speaks of the path."""
    with pytest.raises(RequestError, match=r"^path ") as caught:
        canonical(path)
    assert caught.value.code is Result.INVALID_ARGUMENT


def test_a_path_has_1_to_255_bytes() -> None:
    """As it is written: INVALID_ARGUMENT; in its one form, with the prefix: INSUFFICIENT_BUFFER."""
    assert canonical("a" * 250) == "BPF:\\" + "a" * 250
    with pytest.raises(RequestError, match="path has 256 bytes: 1 to 255") as caught:
        canonical("a" * 251)
    assert caught.value.code is Result.INSUFFICIENT_BUFFER
    with pytest.raises(RequestError) as caught:
        canonical("ä" * 128)
    assert caught.value.code is Result.INVALID_ARGUMENT


def test_nothing_is_pinned_to_the_root() -> None:
    """It would have no name."""
    with pytest.raises(RequestError, match="names nothing: write one like /my/pin") as caught:
        pin_path("/./")
    assert caught.value.code is Result.INVALID_ARGUMENT


def test_maps_pinned_by_name_go_to_the_global_folder() -> None:
    """Which is left out."""
    assert path_by_name("counts") == "BPF:\\counts"


@given(st.lists(st.sampled_from(["a", "B", "..", ".", "", "/", "\\"]), max_size=9))
def test_the_one_form_is_its_own(parts: list[str]) -> None:
    """Whatever is canonical stays as it is."""
    try:
        whole = canonical("/" + "/".join(parts))
    except RequestError:
        return
    assert canonical(whole) == whole
