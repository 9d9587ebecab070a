"""Contracts as an operator exchanges them: a daemon without any extension."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import ContractFormat, EbpfdError, Result
from ebpfd_vm import parse_object
from tests.e2e.world import World, sample, world
from tests.extensions.test_shipped_contracts import FOLDER, NAMES, contract

HERE = Path(__file__).parent
KEPT = (
    ContractFormat.PROTOBUF,
    ContractFormat.FLATBUFFERS,
    ContractFormat.JSON,
    ContractFormat.RPCE,
)
"""Formats that everything of a contract can be written in."""

USED = {
    "sock_addr": "bpf_sock_addr_set_redirect_context",
    "sock_ops": "bpf_sock_ops_get_flow_id",
    "xdp": "bpf_xdp_adjust_head",
    "process": "bpf_process_get_image_path",
    "sample": "sample_ebpf_extension_find",
}
"""A helper that the program calls; those of bind and netevent call general ones only."""

UNUSED = {
    "sock_addr": "bpf_sock_addr_get_network_context",
    "sock_ops": "bpf_get_current_pid_tgid",
    "process": "bpf_process_get_account_name",
    "netevent": "bpf_netevent_push_event",
    "sample": "sample_ebpf_extension_replace",
}
"""A helper that the program does not call; bind has none, and xdp one that it calls."""


def program(name: str) -> str:
    """The program of a type."""
    return str(FOLDER / "programs" / f"{name}.o")


def without(name: str, helper: str, folder: Path) -> str:
    """A contract's file without one of its helpers."""
    contract: Any = json.loads((FOLDER / f"{name}.json").read_text())
    info = contract["program_info"]
    for kind in ("program_type_specific_helpers", "global_helpers"):
        gone = [each["helper_id"] for each in info[kind] if each["name"] == helper]
        info[kind] = [each for each in info[kind] if each["name"] != helper]
        for helper_id in gone:
            if helper_id in contract["helper_addresses"]:
                contract["helper_addresses"].remove(helper_id)
    path = folder / f"{name}-changed.json"
    path.write_text(json.dumps(contract))
    return str(path)


async def verified(w: World, name: str) -> tuple[int, str]:
    """Exit code and text of ``program verify``."""
    ran = await w.ctl("program", "verify", program(name))
    return ran.code, ran.out + ran.err


async def test_programs_verify_with_no_extension_connected(tmp_path: Path) -> None:
    """All seven, after their contracts were imported by name."""
    async with world(tmp_path) as w:
        code, said = await verified(w, "xdp")
        assert (code, "no known program type" in said) == (1, True)
        for name in NAMES:
            (row,) = [await w.ctl_json("contract", "import", name)]
            assert row["origin"] == f"{name}.json"
            assert (await verified(w, name))[0] == 0
        listed = await w.ctl_json("contract", "list")
        assert len(listed) == len(NAMES)
        assert not any(each["provided"] for each in listed)


@pytest.mark.parametrize("name", USED)
async def test_a_program_is_refused_without_a_helper_that_it_calls(
    tmp_path: Path, name: str
) -> None:
    """By the helper's number and the program's name."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", without(name, USED[name], tmp_path))
        code, said = await verified(w, name)
        assert code == 1
        assert f"helper {number(name)}" in said
        assert function(name) in said


def function(name: str) -> str:
    """What a type's program is called."""
    (spec,) = parse_object(Path(program(name)).read_bytes()).programs
    return spec.name


def number(name: str) -> int:
    """The id of the helper that a type's program calls."""
    helpers = contract(name).program_info.helpers()
    return next(each.helper_id for each in helpers if each.name == USED[name])


@pytest.mark.parametrize("name", UNUSED)
async def test_a_helper_that_no_program_calls_may_go(tmp_path: Path, name: str) -> None:
    """It weighs in no verdict."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", without(name, UNUSED[name], tmp_path))
        assert (await verified(w, name))[0] == 0


@pytest.mark.parametrize("name", NAMES)
async def test_every_form_carries_the_same_contract(tmp_path: Path, name: str) -> None:
    """Exported, forgotten, imported into a daemon that knows nothing: the same digest."""
    async with world(tmp_path) as w:
        known = await w.client.import_contract(FOLDER / f"{name}.json", ContractFormat.JSON)
        for form in KEPT:
            content = await w.client.export_contract(known.program_type, form)
            await w.client.forget_contract(known.program_type)
            assert await w.client.contracts() == ()
            again = await w.client.import_contract(content, form, file_name=known.origin)
            assert again == known


async def test_a_contract_survives_the_daemon(tmp_path: Path) -> None:
    """Killed without a word: what was imported is there, and provided again."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", "netevent", "--provide")
        await w.ctl_json("contract", "import", "bind")
        w.daemon.kill()
        await w.daemon.wait()
    async with world(tmp_path) as w:
        provided = {each.name: each.provided for each in await w.client.contracts()}
        assert provided == {"netevent_monitor": True, "bind": False}
        await w.client.load(program("netevent"))


async def test_a_provided_type_runs_programs_without_its_extension(tmp_path: Path) -> None:
    """With the context that a test run builds: a context, metadata and data, neither."""
    async with world(tmp_path) as w:
        for name in ("bind", "netevent", "sock_addr"):
            await w.ctl_json("contract", "import", name, "--provide")
        (bind,) = (await w.client.load(program("bind"))).values()
        socket = bytes([2, 0, 0, 80, *bytes(12)])
        context = bytes(16) + (7).to_bytes(8, "little") + socket + bytes(16)
        assert (await bind.test_run(context=context)).result == 1
        trusted = bind.maps["trusted"]
        await trusted.set((7).to_bytes(8, "little"), (1).to_bytes(4, "little"))
        assert (await bind.test_run(context=context)).result == 3
        (netevent,) = (await w.client.load(program("netevent"))).values()
        run = await netevent.test_run(data=bytes([100, 1, *bytes(30)]), meta_length=8)
        assert run.result == 0
        ((key, _),) = await netevent.maps["by_type"].items()
        assert key == (100).to_bytes(4, "little")
        (plain,) = (await w.client.load(HERE / "programs" / "plain.o")).values()
        assert (await plain.test_run()).result == 1
        with pytest.raises(EbpfdError, match="bpf_sock_addr_set_redirect_context") as caught:
            await w.client.load(program("sock_addr"))
        assert caught.value.code is Result.INVALID_ARGUMENT


async def test_what_two_contracts_differ_in_is_named(tmp_path: Path) -> None:
    """A type and a file, or two of a kind; exit code 1 if there is a difference."""
    async with world(tmp_path) as w, sample(w):
        same = await w.ctl("contract", "diff", "sample", "sample")
        assert (same.code, same.out) == (0, "no difference\n")
        changed = without("sample", USED["sample"], tmp_path)
        ran = await w.ctl("-o", "json", "contract", "diff", str(FOLDER / "sample.json"), changed)
        assert ran.code == 1
        gone = f"program_type_specific_helpers[{USED['sample']}]"
        assert gone in [each["field"] for each in ran.json()]


async def test_a_contract_that_makes_no_sense_changes_nothing(tmp_path: Path) -> None:
    """One error that names the field."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", "bind")
        wrong = tmp_path / "wrong.json"
        text = (FOLDER / "bind.json").read_text()
        wrong.write_text(text.replace('"offset": 16', '"offset": "16"'))
        refused = await w.ctl("-o", "json", "contract", "import", str(wrong))
        assert refused.error()["name"] == "INVALID_ARGUMENT"
        assert "fields[2].offset: must be a whole number" in refused.error()["message"]
        unknown = await w.ctl("contract", "import", "nothing")
        assert unknown.code == 2
        assert "bind, netevent" in unknown.err
        assert (await verified(w, "bind"))[0] == 0


async def test_hooks_that_come_with_ebpfd_are_imported_by_name(tmp_path: Path) -> None:
    """After their types; then they are known, and wait for their extension."""
    async with world(tmp_path) as w:
        early = await w.ctl("-o", "json", "hook", "import", "inet4_listen")
        assert early.error()["code"] == Result.OBJECT_NOT_FOUND, "nobody knows its programs' type"
        await w.ctl_json("contract", "import", "sock_addr", "--provide")
        taken = await w.ctl_json("hook", "import", "inet4_listen")
        assert (taken["hook"], taken["program_type"]) == ("inet4_listen", "sock_addr")
        assert (taken["takes"], taken["hosted"]) == ("single_attach_per_hook", False)
        unknown = await w.ctl("hook", "import", "nothing")
        assert unknown.code == 2
        assert "no hook that comes with ebpfd (bind, cgroup_inet4_connect" in unknown.err


@pytest.mark.skipif(shutil.which("clang") is None, reason="no clang to compile with")
async def test_an_exported_header_is_all_that_a_program_needs(tmp_path: Path) -> None:
    """Export, compile, verify."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", "xdp")
        include, programs = tmp_path / "include", tmp_path / "programs"
        include.mkdir()
        programs.mkdir()
        header = str(include / "xdp.h")
        await w.ctl_json("contract", "export", "xdp", "-f", "c", "--to", header)
        shutil.copy(FOLDER / "programs" / "xdp.c", programs)
        compile_ = ["clang", "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-Wno-unused"]
        await asyncio.to_thread(
            subprocess.run,
            [*compile_, "-c", str(programs / "xdp.c"), "-o", str(programs / "xdp.o")],
            check=True,
        )
        ran = await w.ctl("program", "verify", str(programs / "xdp.o"))
        assert ran.code == 0, ran.out


async def test_a_contract_is_shown_as_people_read_it(tmp_path: Path) -> None:
    """Fields with rights, helpers with what they take, results; all of it as JSON."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", "sock_addr")
        shown = (await w.ctl("contract", "show", "sock_addr")).out
        lines = [" ".join(line.split()) for line in shown.splitlines()]
        assert "24 4 user_ip4 u32 read, write" in lines
        assert "0 4 family u32 read" in lines
        assert "0x13 bpf_get_current_pid_tgid - INTEGER yes implicit context" in lines
        assert "0 BPF_SOCK_ADDR_VERDICT_REJECT yes" in lines
        whole = await w.ctl_json("contract", "show", "sock_addr")
        assert whole["contract"] == json.loads((FOLDER / "sock_addr.json").read_text())
