"""A provider that goes and comes back: with the same contract, and with others."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ebpfd_sdk import Result
from tests.e2e.world import PROGRAMS, World, sample, script, world

CHANGED = Path(__file__).with_name("changed_extension.py")
FOUND = Path(__file__).with_name("programs") / "found.o"
FIND = "sample_ebpf_extension_find"


def changed(w: World, change: str) -> AbstractAsyncContextManager[None]:
    """The sample extension with its contract changed in one way."""
    return script(w, CHANGED, change)


@asynccontextmanager
async def unchanged(w: World) -> AsyncGenerator[None]:
    """The sample extension as it is; it leaves in good order."""
    async with sample(w) as process:
        yield
        process.terminate()
        await process.wait()


async def fired(w: World) -> tuple[Result, int]:
    """Code and result of one fire of the sample's hook."""
    answer = await w.client.fire("sample_ext")
    return answer.code, answer.result


async def reason(w: World) -> str:
    """Why the one program waits, as ``ebpfctl program show`` tells it; empty if it does not."""
    (program,) = await w.client.programs()
    shown = await w.ctl_json("program", "show", str(program.id))
    assert (shown["state"] == "waiting") == bool(shown["reason"])
    return str(shown["reason"])


async def test_a_program_runs_under_its_contract_and_no_other(tmp_path: Path) -> None:
    """One program and one link, attached once, through seven lives of its extension."""
    async with world(tmp_path) as w:
        refused = await w.ctl("-o", "json", "program", "load", str(FOUND))
        assert (refused.code, refused.error()["name"]) == (1, "INVALID_ARGUMENT")

        async with unchanged(w):
            (program,) = (await w.client.load(FOUND)).values()
            link = await program.attach("sample_ext")
            assert await fired(w) == (Result.SUCCESS, 42)
        assert "has gone" in await reason(w)
        again = await w.ctl("-o", "json", "program", "load", str(FOUND))
        assert (again.code, again.error()["name"]) == (1, "EXTENSION_FAILED_TO_LOAD")

        async with unchanged(w):
            assert await reason(w) == ""
            assert await fired(w) == (Result.SUCCESS, 42)

        async with changed(w, "no-addresses"):
            assert await fired(w) == (Result.EXTENSION_FAILED_TO_LOAD, 0)
            assert await reason(w) == f"its provider no longer serves helper {FIND} (65537)"

        async with changed(w, "return-type"):
            assert await fired(w) == (Result.EXTENSION_FAILED_TO_LOAD, 0)
            assert await reason(w) == (
                "its provider came back with another contract: "
                f"program_type_specific_helpers[{FIND}].return_type is 1, was 0; load it anew"
            )

        async with unchanged(w):
            assert await fired(w) == (Result.SUCCESS, 42)

        async with changed(w, "reserved"):
            assert await fired(w) == (Result.EXTENSION_FAILED_TO_LOAD, 0)
            assert "capabilities is 1, not 0" in await reason(w)

        async with unchanged(w):
            assert await fired(w) == (Result.SUCCESS, 42)
        assert [each.id for each in await w.client.links()] == [link.id], "never attached anew"


async def test_another_contract_revives_only_whom_it_does_not_concern(tmp_path: Path) -> None:
    """A helper lost its argument: who calls it waits, who does not runs on."""
    async with world(tmp_path) as w:
        async with unchanged(w):
            concerned = (await w.client.load(PROGRAMS / "helper_implicit_2.o"))["call_implicit_2"]
            other = (await w.client.load(FOUND))["found"]
        async with changed(w, "no-argument"):
            shown = {each["id"]: each for each in await w.ctl_json("program", "list")}
            assert shown[concerned.id]["state"] == "waiting"
            assert "implicit_2].arguments[0] is 0, was 1" in shown[concerned.id]["reason"]
            assert shown[other.id]["state"] == "ready"
            assert (await other.test_run()).result == 42
        async with unchanged(w):
            assert (await concerned.test_run()).result == 0
