"""Bad input: one clear error each, nothing changed, and a daemon that goes on."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from ebpfd_sdk import (
    Client,
    Context,
    Data,
    DataEnd,
    EbpfdError,
    Extension,
    Hook,
    Link,
    ProgramType,
    Refused,
    Result,
    VerificationFailed,
)
from tests.e2e.world import PROGRAMS, World, command, sample, world

GOOD = (PROGRAMS / "count.o").read_bytes()
ELSEWHERE = bytearray(GOOD)
ELSEWHERE[18:20] = (62).to_bytes(2, "little")  # e_machine: x86-64

NOTHING = Path(__file__).parent / "programs" / "nothing.o"

NO_ELF = {
    "an empty file": b"",
    "a truncated ELF": GOOD[: len(GOOD) // 2],
    "a megabyte of random bytes": random.Random(7).randbytes(1 << 20),
    "an ELF of another machine": bytes(ELSEWHERE),
}


@asynccontextmanager
async def unchanged(w: World) -> AsyncGenerator[None]:
    """The block changes nothing, and the daemon serves afterwards."""
    before = await everything(w.client)
    yield
    assert await everything(w.client) == before
    assert w.daemon.returncode is None


async def everything(client: Client) -> tuple[object, ...]:
    """All objects and registrations."""
    return (
        [each.id for each in await client.programs()],
        [each.id for each in await client.maps()],
        [each.id for each in await client.links()],
        await client.providers(),
        await client.clients(),
        await client.bindings(),
    )


async def test_what_is_no_bpf_object_is_refused(tmp_path: Path) -> None:
    """ELF_PARSING_FAILED for whatever is not an eBPF object file."""
    async with world(tmp_path) as w, sample(w):
        for name, content in NO_ELF.items():
            file = tmp_path / "bad.o"
            file.write_bytes(content)
            async with unchanged(w):
                ran = await w.ctl("-o", "json", "program", "load", str(file))
                assert (ran.code, ran.error()["name"]) == (1, "ELF_PARSING_FAILED"), name
                assert len(ran.err.splitlines()) == 1


async def test_a_section_that_no_contract_knows_is_refused(tmp_path: Path) -> None:
    """INVALID_ARGUMENT, and the message lists the known prefixes."""
    renamed = GOOD.replace(b"sample_ext\0", b"simple_ext\0")
    assert renamed != GOOD
    async with world(tmp_path) as w, sample(w), unchanged(w):
        with pytest.raises(EbpfdError, match=r'"simple_ext".*known prefixes: sample_ext') as caught:
            await w.client.load(renamed)
        assert caught.value.code is Result.INVALID_ARGUMENT


async def test_a_context_shorter_than_the_descriptor_is_refused(tmp_path: Path) -> None:
    """INVALID_ARGUMENT naming both sizes, by test run, by hook."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(GOOD))["count_by_protocol"]
        await program.attach("sample_ext")
        async with unchanged(w):
            with pytest.raises(EbpfdError, match=r"31.*32") as caught:
                await program.test_run(context=bytes(31))
            assert caught.value.code is Result.INVALID_ARGUMENT
            answer = await w.client.fire("sample_ext", context=bytes(31))
            assert answer.code is Result.INVALID_ARGUMENT


async def test_a_program_whose_extension_has_gone_is_refused(tmp_path: Path) -> None:
    """EXTENSION_FAILED_TO_LOAD: its contract is known, its provider is away."""
    async with world(tmp_path) as w:
        async with sample(w) as extension:
            extension.terminate()
            await extension.wait()
        async with unchanged(w):
            ran = await w.ctl("-o", "json", "program", "load", str(PROGRAMS / "count.o"))
            assert (ran.code, ran.error()["code"]) == (1, 23)
            assert ran.error()["name"] == "EXTENSION_FAILED_TO_LOAD"
            assert "start the extension" in ran.error()["message"]


class PickyContext(Context):
    """Data and nothing else."""

    data: Data = 0
    data_end: DataEnd = 0


async def test_an_attach_that_the_hook_refuses(tmp_path: Path) -> None:
    """EXTENSION_FAILED_TO_LOAD with the hook's own words: this one wants four bytes."""
    picky = ProgramType(UUID("11111111-2222-3333-4444-555555555555"), PickyContext, section="picky")
    hook = Hook(UUID("11111111-2222-3333-4444-666666666666"), picky, name="picky")

    @hook.on_attach
    async def check(link: Link) -> None:
        if len(link.parameter) != 4:
            raise Refused(f"the parameter must have 4 bytes, not {len(link.parameter)}")

    async with world(tmp_path) as w, Extension(picky, hook, address=w.address):
        program = (await w.client.load(NOTHING))["nothing"]
        async with unchanged(w):
            with pytest.raises(EbpfdError, match="must have 4 bytes, not 3") as caught:
                await program.attach("picky", parameter=b"abc")
            assert caught.value.code is Result.EXTENSION_FAILED_TO_LOAD
        link = await program.attach("picky", parameter=b"abcd")
        assert link.parameter == b"abcd"


UNSAFE = {
    "null_map_value": "may be NULL",
    "out_of_bounds": "packet",
    "unknown_helper": "unknown helper",
}


@pytest.mark.parametrize("name", UNSAFE)
async def test_unsafe_programs_are_refused_with_their_source_line(
    tmp_path: Path, name: str
) -> None:
    """VERIFICATION_FAILED with file, line, reason and a hint."""
    async with world(tmp_path) as w, sample(w), unchanged(w):
        with pytest.raises(VerificationFailed) as caught:
            await w.client.load(PROGRAMS / "unsafe" / f"{name}.o")
        (rejection,) = caught.value.rejections
        assert UNSAFE[name] in rejection.reason
        assert rejection.hint
        assert rejection.source is not None
        assert rejection.source.file.endswith(f"{name}.c")
        assert rejection.source.text.strip()
        ran = await w.ctl("program", "load", str(PROGRAMS / "unsafe" / f"{name}.o"))
        assert ran.code == 1
        assert f"{name}.c:{rejection.source.line}:" in ran.err
        assert f"hint:    {rejection.hint}\n" in ran.err
        assert len(ran.err.splitlines()) <= 24, "it fits on one screen"


async def test_a_refusal_in_json_has_its_whole_structure(tmp_path: Path) -> None:
    """What kind of mistake, what led there, and what was known of the registers."""
    async with world(tmp_path) as w, sample(w), unchanged(w):
        ran = await w.ctl("-o", "json", "program", "load", str(PROGRAMS / "unsafe/out_of_bounds.o"))
        (rejection,) = ran.error()["rejections"]
        assert rejection["kind"] == "past-data"
        assert rejection["obligation"] == "1 byte at offset 8 of the packet"
        (step,) = rejection["path"]
        assert (step["way"], step["source"]["line"], step["next"]["line"]) == ("branch", 9, 11)
        assert [each["register"] for each in rejection["registers"]] == [2]
        assert rejection["history"]
        assert rejection["witness"]["result"] == "INVALID_POINTER"
        assert len(bytes.fromhex(rejection["witness"]["data"])) == 8


async def test_an_attach_type_that_nobody_knows(tmp_path: Path) -> None:
    """OBJECT_NOT_FOUND, and the message lists the known names."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(GOOD))["count_by_protocol"]
        async with unchanged(w):
            for arguments in (
                ("link", "attach", str(program.id), "--attach-type", "nonsense"),
                ("hook", "fire", "nonsense"),
            ):
                ran = await w.ctl("-o", "json", *arguments)
                assert (ran.code, ran.error()["name"]) == (1, "OBJECT_NOT_FOUND")
                assert "known: sample_ext" in ran.error()["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("link", "attach", "2", "--attach-type", "sample_ext", "--param", "xyz"),
        ("hook", "fire", "sample_ext", "--param", "0"),
        ("hook", "fire", "sample_ext", "--data", "@/nonexistent"),
        ("program", "test-run", "2", "--context", "0g"),
        ("map", "get", "2", "many"),
        ("program", "load", "/nonexistent.o"),
        ("nonsense",),
    ],
)
async def test_a_command_line_that_makes_no_sense(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A usage error, exit code 2, before any daemon is asked."""
    ran = await command("ebpfctl", "--address", f"unix:{tmp_path}/none.sock", *arguments)
    assert ran.code == 2
    assert "Usage:" in ran.err


async def test_no_daemon_at_the_address(tmp_path: Path) -> None:
    """One sentence that says what to do, in text and JSON."""
    address = f"unix:{tmp_path}/none.sock"
    text = await command("ebpfctl", "--address", address, "program", "list")
    assert text.code == 1
    assert "ebpfd run" in text.err
    ran = await command("ebpfctl", "--address", address, "-o", "json", "program", "list")
    assert ran.error()["name"] == "RPC_EXCEPTION"


@pytest.mark.parametrize("what", ["program", "link", "map"])
async def test_an_id_that_nothing_has(tmp_path: Path, what: str) -> None:
    """KEY_NOT_FOUND, as a lookup of an absent id in eBPF for Windows."""
    commands = {"program": "show", "link": "detach", "map": "dump"}
    async with world(tmp_path) as w:
        ran = await w.ctl("-o", "json", what, commands[what], "77")
        assert (ran.code, ran.error()["name"]) == (1, "KEY_NOT_FOUND")
        assert "77" in ran.error()["message"]
