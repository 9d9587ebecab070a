"""The contracts of eBPF for Windows that come with ebpfd, against the numbers of its headers."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

import ebpfd_vm
from ebpfd.contracts import (
    HelperFunctionPrototype,
    ProgramData,
    contract_digest,
    engine_information,
)
from ebpfd.contracts.c_header import c_header
from ebpfd.contracts.json_codec import decode_json, encode_json
from ebpfd.host.general import general_prototypes
from ebpfd.rpc.contract_codec import decode_program_data
from ebpfd_extensions.sample.extension import sample

FOLDER: Final = Path(str(files("ebpfd_extensions"))) / "contracts"
SAMPLE_PROGRAMS: Final = FOLDER.parent / "sample" / "programs"
NAMES: Final = ("bind", "netevent", "process", "sample", "sock_addr", "sock_ops", "xdp")

# GUID, bpf_prog_type, descriptor's name, then size, data, end and meta of the context.
TYPES: Final = {
    "xdp": ("f1832a85-85d5-45b0-98a0-7069d63013b0", 1, "xdp", (32, 0, 8, 16)),
    "bind": ("608c517c-6c52-4a26-b677-bb1c34425adf", 2, "bind", (56, 0, 8, -1)),
    "sock_addr": ("92ec8e39-aeec-11ec-9a30-18602489beee", 3, "sock_addr", (64, -1, -1, -1)),
    "sock_ops": ("43fb224d-68f8-46d6-aa3f-c856518cbb32", 4, "sockops", (64, -1, -1, -1)),
    "netevent": ("fc4adc85-49c3-4f0a-8393-facce89cde91", 5, "netevent_monitor", (24, 8, 16, 0)),
    "process": ("22ea7b37-1043-4d0d-b60d-cafa1c7b638e", 6, "process", (144, 0, 8, -1)),
    "sample": ("f788ef4a-207d-4dc3-85cf-0f2ea107213c", 999, "sample", (32, 0, 8, -1)),
}

# Offset and size of each field.
FIELDS: Final = {
    "bind": "app_id_start 0 8, app_id_end 8 8, process_id 16 8, socket_address 24 16, "
    "socket_address_length 40 1, operation 44 4, protocol 48 1",
    "sock_addr": "family 0 4, msg_src_ip4 4 4, msg_src_ip6 4 16, msg_src_port 20 2, user_ip4 24 4, "
    "user_ip6 24 16, user_port 40 2, protocol 44 4, compartment_id 48 4, interface_luid 56 8",
    "sock_ops": "op 0 4, family 4 4, local_ip4 8 4, local_ip6 8 16, local_port 24 4, "
    "remote_ip4 28 4, remote_ip6 28 16, remote_port 44 4, protocol 48 1, compartment_id 52 4, "
    "interface_luid 56 8",
    "xdp": "data 0 8, data_end 8 8, data_meta 16 8, ingress_ifindex 24 4",
    "process": "command_start 0 8, command_end 8 8, process_id 16 8, parent_process_id 24 8, "
    "creating_process_id 32 8, creating_thread_id 40 8, creation_time 48 8, exit_time 56 8, "
    "process_exit_code 64 4, operation 68 1, token_sid_size 72 4, token_sid 76 68",
    "netevent": "event_data_meta 0 8, data_start 8 8, data_end 16 8",
    "sample": "data_start 0 8, data_end 8 8, uint32_data 16 4, uint16_data 20 2, "
    "helper_data_1 24 4, helper_data_2 28 4",
}

# Id and arguments of each helper; + reallocates the packet, * gets the context unasked.
HELPERS: Final = {
    "bind": {},
    "sock_addr": {
        "bpf_sock_addr_set_redirect_context": "10001 4 9 2",
        "bpf_sock_addr_get_network_context": "10002 4 11 2",
        "bpf_get_current_pid_tgid": "13 *",
        "bpf_get_current_logon_id": "14 4",
        "bpf_is_current_admin": "15 4",
        "bpf_get_socket_cookie": "1a 4",
    },
    "sock_ops": {"bpf_sock_ops_get_flow_id": "10000 4", "bpf_get_current_pid_tgid": "13 *"},
    "xdp": {"bpf_xdp_adjust_head": "10000 4 1 +"},
    "process": {
        "bpf_process_get_image_path": "10000 4 11 2",
        "bpf_process_get_account_name": "10001 4 11 2",
        "bpf_process_get_account_domain": "10002 4 11 2",
    },
    "netevent": {"bpf_netevent_push_event": "10000 4"},
    "sample": {
        "sample_ebpf_extension_helper_function1": "10000 4",
        "sample_ebpf_extension_find": "10001 9 2 9 2",
        "sample_ebpf_extension_replace": "10002 11 2 1 9 2",
        "sample_ebpf_extension_helper_implicit_1": "10003 *",
        "sample_ebpf_extension_helper_implicit_2": "10004 1 *",
        "sample_ebpf_extension_map_lookup_element": "10005 5 7",
        "sample_ebpf_extension_map_get_value": "10006 5 7 11 2",
        "bpf_get_current_pid_tgid": "13",
        "bpf_redirect_map": "23 5 1 1",
    },
}

SECTIONS: Final = {
    "bind": ["bind"],
    "netevent": ["netevent_monitor"],
    "process": ["process"],
    "sample": ["sample_ext"],
    "sock_addr": [
        f"cgroup/{hook}{version}"
        for hook in ("connect", "recv_accept", "connect_authorization", "bind", "listen")
        for version in (4, 6)
    ],
    "sock_ops": ["sockops"],
    "xdp": ["xdp"],
}

RESULTS: Final = {
    "bind": {0: "BIND_PERMIT_SOFT", 1: "BIND_DENY", 2: "BIND_REDIRECT", 3: "BIND_PERMIT_HARD"},
    "sock_addr": {
        0: "BPF_SOCK_ADDR_VERDICT_REJECT",
        1: "BPF_SOCK_ADDR_VERDICT_PROCEED_SOFT",
        2: "BPF_SOCK_ADDR_VERDICT_PROCEED_HARD",
    },
    "sock_ops": {0: "BPF_SOCK_OPS_PERMIT"},
    "xdp": {1: "XDP_PASS", 2: "XDP_DROP", 3: "XDP_TX"},
    "process": {0: "PROCESS_ALLOW"},
    "netevent": {},
    "sample": {},
}

WRITABLE: Final = {
    "sock_addr": {"user_ip4", "user_ip6", "user_port"},
    "sample": {"uint32_data", "uint16_data", "helper_data_1", "helper_data_2"},
}
"""What a program may change; the rest is read-only."""

# Results that stop a chain, whether others do, what a chain of nothing is, the context's struct.
CHAINS: Final[dict[str, tuple[set[int], bool, int, str]]] = {
    "bind": ({1}, True, 0, "bind_md_t"),
    "sock_addr": ({0}, True, 1, "bpf_sock_addr_t"),
    "sock_ops": (set(), True, 0, "bpf_sock_ops_t"),
    "xdp": ({2, 3}, True, 1, "xdp_md_t"),
    "process": (set(), True, 0, "process_md_t"),
    "netevent": (set(), False, 0, "netevent_event_md_t"),
    "sample": (set(), False, 0, "sample_program_context_t"),
}

DISPATCH: Final = {"sock_addr", "sock_ops", "xdp"}
"""Types whose programs run at DISPATCH level (2); the others run at PASSIVE (0)."""


def contract(name: str) -> ProgramData:
    """One of the files."""
    return decode_json((FOLDER / f"{name}.json").read_bytes())


def test_there_is_one_for_each_type() -> None:
    """And none beside."""
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.json"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_its_numbers_are_those_of_the_headers(name: str) -> None:
    """Each GUID, offset, size, id and type."""
    data = contract(name)
    descriptor, context = data.program_info.type_descriptor, data.context
    assert (
        str(descriptor.program_type),
        descriptor.bpf_prog_type,
        descriptor.name,
        (context.size, context.data, context.end, context.meta),
    ) == TYPES[name]
    fields = [f"{each.name} {each.offset} {each.size}" for each in data.fields]
    assert fields == FIELDS[name].split(", ")
    assert {each.name: spelled(each) for each in data.program_info.helpers()} == HELPERS[name]
    assert list(data.section_prefixes) == SECTIONS[name]
    assert {each.value: each.name for each in data.results} == RESULTS[name]
    assert data.required_irql == (2 if name in DISPATCH else 0)
    assert (data.capabilities, descriptor.is_privileged) == (0, False)
    writable = {each.name for each in data.fields if each.writable}
    assert (writable, any(each.hidden for each in data.fields)) == (
        WRITABLE.get(name, set()),
        False,
    )
    stops = {each.value for each in data.results if each.stops_chain}
    chain = (stops, data.other_results_stop, data.default_result, data.context_type)
    assert chain == CHAINS[name]
    pointers = {each.name for each in data.program_info.helpers() if each.return_type}
    assert pointers == ({"sample_ebpf_extension_map_lookup_element"} if name == "sample" else set())


def spelled(helper: HelperFunctionPrototype) -> str:
    """A helper as the table has it."""
    words = [f"{helper.helper_id:x}", *(str(int(each)) for each in helper.arguments if each)]
    words += ["+"] if helper.reallocate_packet else []
    words += ["*"] if helper.implicit_context else []
    return " ".join(words)


def test_only_the_push_of_network_events_has_no_address() -> None:
    """Everything else is served by its extension."""
    for name in NAMES:
        data = contract(name)
        declared = {each.helper_id for each in data.program_info.helpers()}
        assert declared - data.helper_addresses == ({0x10000} if name == "netevent" else set())


@pytest.mark.parametrize("name", NAMES)
def test_its_file_is_as_it_is_written(name: str) -> None:
    """So a change of it shows as a change of what it says."""
    assert encode_json(contract(name)) == (FOLDER / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_its_header_is_up_to_date(name: str) -> None:
    """``ebpfctl contract export -f c`` writes it."""
    header = c_header(contract(name), general_prototypes())
    assert header == (FOLDER / "include" / f"{name}.h").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_program_of_its_type_is_accepted(name: str) -> None:
    """By our own judge; it was compiled with the header alone."""
    parsed = ebpfd_vm.parse_object((FOLDER / "programs" / f"{name}.o").read_bytes())
    (spec,) = parsed.programs
    information = engine_information(contract(name))
    verdict = ebpfd_vm.verify(spec, parsed.maps, information, judges="ours")
    assert verdict.accepted
    assert verdict.worst_case is not None


def test_the_sample_extension_offers_the_same() -> None:
    """A program that was verified with the file runs with the extension."""
    shipped, offered = contract("sample"), decode_program_data(sample.program_data())
    common = [each.helper_id for each in offered.program_info.helpers()]
    assert len(common) == 5
    missing = {each.helper_id for each in shipped.program_info.helpers()}.difference(common)
    assert missing == {0x10005, 0x10006, 19, 35}, "its README says so"
    assert contract_digest(shipped, common) == contract_digest(offered, common)


@pytest.mark.parametrize("source", sorted(SAMPLE_PROGRAMS.glob("*.c")), ids=lambda path: path.name)
def test_the_samples_programs_need_no_other_header(tmp_path: Path, source: Path) -> None:
    """Those of the sample extension, with the header of its contract for the one by hand."""
    clang = shutil.which("clang")
    if clang is None:
        pytest.skip("no clang to compile with")
    shutil.copy(FOLDER / "include" / "sample.h", tmp_path / "sample_ext.h")
    shutil.copy(source, tmp_path)
    flags = ("-target", "bpf", "-O2", "-Wall", "-Werror", "-Wno-unused-variable")
    command = [clang, *flags, "-c", str(tmp_path / source.name), "-o", str(tmp_path / "program.o")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
