"""``ebpfctl program``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ebpfd.cli.disassembly import disassembly_json, disassembly_lines
from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_table
from ebpfd.cli.parameters import Flags, Hex, HexOrFile, existing_file, meta_length_option
from ebpfd.cli.pins import keepers_json, keepers_text
from ebpfd.cli.rejections import print_rejection, rejection_json

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Latency, Program, ProgramCounters, Verdict

JUDGES = ("any", "ours", "prevail", "both")
COLUMNS = ("id", "name", "type", "section", "state", "executor", "maps", "links", "runs", "file")


@click.group()
def program() -> None:
    """Programs: load, verify, run, unload."""


@program.command()
@click.argument("file", type=existing_file())
@click.option(
    "--program", "names", multiple=True, metavar="NAME", help="Only this one; repeatable."
)
@click.option(
    "--follow-contract",
    is_flag=True,
    help="Reload the programs by themselves when their contract changes.",
)
@click.option(
    "--flags", type=Flags(), default=0, help="For the hooks, which define what they mean."
)
@click.option("--pin", "folder", metavar="PATH", help="Pin each to PATH/NAME too.")
@click.pass_obj
def load(
    output: Output,
    file: str,
    names: tuple[str, ...],
    follow_contract: bool,
    flags: int,
    folder: str | None,
) -> None:
    """Verify and load all programs of an object file, or none."""

    async def work(client: "Client") -> None:
        programs = await client.load(
            file, programs=names, follow_contract=follow_contract, flags=flags
        )
        if folder is not None:
            programs = await _pinned(client, programs, folder)
        output.table([describe(each) for each in programs.values()], COLUMNS)

    output.run(work)


@program.command()
@click.argument("file", type=existing_file())
@click.option(
    "--program", "names", multiple=True, metavar="NAME", help="Only this one; repeatable."
)
@click.option(
    "--judge",
    type=click.Choice(JUDGES),
    default="any",
    show_default=True,
    help="Whose verdict: the one that counts, one judge's alone, or both to compare.",
)
@click.pass_context
def verify(context: click.Context, file: str, names: tuple[str, ...], judge: str) -> None:
    """Judge the programs of an object file, not loading them.  Exit 1 if one is refused."""
    output: Output = context.obj

    async def work(client: "Client") -> None:
        from ebpfd_sdk import Judge  # noqa: PLC0415 (as the client: `--help` must not wait)

        verdicts = await client.verify(file, programs=names, judge=Judge(judge))
        output.emit([_verdict_json(each) for each in verdicts], lambda: _print_verdicts(verdicts))
        if not all_accepted(verdicts):
            context.exit(1)

    output.run(work)


@program.command()
@click.argument("id", type=int)
@click.pass_obj
def reload(output: Output, id: int) -> None:
    """Make a program anew against today's contract.

    It keeps its maps, links and pins, and gets another id.
    """

    async def work(client: "Client") -> None:
        new = await (await client.program(id)).reload()
        output.emit([describe(new)], lambda: echo(f"program {id} is now {new.id}"))

    output.run(work)


@program.command()
@click.argument("what", metavar="FILE|ID")
@click.option(
    "--program", "names", multiple=True, metavar="NAME", help="Only this one; repeatable."
)
@click.pass_obj
def disassemble(output: Output, what: str, names: tuple[str, ...]) -> None:
    """Show the instructions of a file or a loaded program.  The latter's as they run."""
    # A file of that name is meant if there is one, as everywhere.
    loaded = what.isdecimal() and not Path(what).is_file()
    if not loaded:
        existing_file().convert(what, None, click.get_current_context())

    async def work(client: "Client") -> None:
        programs = await client.disassemble(int(what) if loaded else what, programs=names)
        output.emit(
            [disassembly_json(each) for each in programs],
            lambda: echo("\n".join(line for each in programs for line in disassembly_lines(each))),
        )

    output.run(work)


@program.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the loaded programs."""

    async def work(client: "Client") -> None:
        rows = [describe(each) for each in await client.programs()]
        output.emit(rows, lambda: _print_programs(rows))

    output.run(work)


@program.command()
@click.argument("id", type=int)
@click.pass_obj
def show(output: Output, id: int) -> None:
    """Show everything about one program.

    Its contract digest is over what it relies on: the context, and those helpers that it calls.
    While that is the same a change of the contract is none to it.
    """

    async def work(client: "Client") -> None:
        output.record(describe(await client.program(id)))

    output.run(work)


@program.command("test-run")
@click.argument("id", type=int)
@click.option("--data", type=HexOrFile(), default=b"", help="What data and data_end span.")
@meta_length_option
@click.option("--context", type=Hex(), default=b"", help="The context; zeros if left out.")
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True)
@click.pass_obj
def test_run(
    output: Output, id: int, data: bytes, meta_length: int, context: bytes, repeat: int
) -> None:
    """Run a program on a context of your own."""

    async def work(client: "Client") -> None:
        tested = await client.program(id)
        run = await tested.test_run(
            context=context, data=data, meta_length=meta_length, repeat=repeat
        )
        output.record(
            {
                "result": run.result,
                "context": run.context.hex(),
                "data": run.data.hex(),
                "duration_ns": run.duration_ns,
            }
        )

    output.run(work)


@program.command()
@click.argument("id", type=int)
@click.pass_obj
def unload(output: Output, id: int) -> None:
    """Unload a program.  Links, program arrays and pins keep it until the last lets go."""

    async def work(client: "Client") -> None:
        kept = await (await client.program(id)).unload()
        said = f"program {id} is unloaded"
        if kept:
            said = f"program {id} stays until these let it go: {keepers_text(kept)}"
        output.emit({"id": id, **keepers_json(kept)}, lambda: echo(said))

    output.run(work)


def describe(each: "Program") -> dict[str, Json]:
    """A program's fields."""
    return {
        "id": each.id,
        "name": each.name,
        "type": each.program_type_name,
        "type_guid": str(each.program_type),
        "section": each.section,
        "state": each.state.name.lower(),
        "reason": each.state_reason,
        "maps": [one.id for one in each.maps.values()],
        "links": list(each.link_ids),
        "held_by": list(each.holder_ids),
        "runs": each.counters.runs,
        "nanoseconds": each.counters.nanoseconds,
        **quantiles(each.latency),
        "failures": failures(each.counters),
        "in_flight": each.in_flight,
        "running": each.running,
        "instructions": each.instruction_count,
        "sha256": each.instructions_sha256.hex(),
        "contract_digest": each.contract_digest.hex(),
        "executor": each.executor.name.lower(),
        "executor_reason": each.executor_reason,
        "judge": each.judge,
        "metered": each.metered,
        "worst_case": each.worst_case,
        "metering": metering(each),
        "blocking": each.blocking,
        "budget": each.budget,
        "loaded": each.loaded,
        "follows_contract": each.follows_contract,
        "flags": each.flags,
        "pins": list(each.pin_paths),
        "owners": list(each.owners),
        "file": each.file_name,
    }


def metering(each: "Program") -> str:
    """How it is made sure that every run ends, in words."""
    if each.metered is None:
        return ""
    if each.worst_case is None:
        accepted = f"accepted by {each.judge}, which proves no end"
        return f"metered: {accepted}" if each.metered else "runs without a budget"
    proved = f"at most {each.worst_case:,} instructions, proved by {each.judge}"
    if not each.metered:
        return f"runs without a budget: {proved}"
    if each.worst_case > each.budget:
        return f"metered: worst case {each.worst_case:,} is above the budget of {each.budget:,}"
    return f"metered, as all that is interpreted: {proved}"


def quantiles(latency: "Latency") -> dict[str, Json]:
    """What half of the runs and 99 of 100 took at most; None without runs."""
    parts = {"p50_ns": latency.quantile(0.5), "p99_ns": latency.quantile(0.99)}
    return {name: None if value is None else round(value, 1) for name, value in parts.items()}


def failures(counters: "ProgramCounters") -> dict[str, Json]:
    """Failed runs by the names of their results."""
    from ebpfd_api.result import result_name  # noqa: PLC0415 (beside the SDK's own late import)

    return {result_name(code): count for code, count in counters.failures.items()}


def all_accepted(verdicts: "Sequence[Verdict]") -> bool:
    """Of each program the first verdict counts that decides anything."""
    standing: dict[str, Verdict] = {}
    for each in verdicts:
        if each.program not in standing or not standing[each.program].decided:
            standing[each.program] = each
    return all(each.accepted for each in standing.values())


async def _pinned(
    client: "Client", programs: "Mapping[str, Program]", folder: str
) -> "dict[str, Program]":
    """Pin all, or none and unload them."""
    from ebpfd_sdk import EbpfdError  # noqa: PLC0415 (as the client)

    pinned: list[str] = []
    try:
        for name, each in programs.items():
            pinned.append((await client.pin(f"{folder}/{name}", each)).path)
    except EbpfdError:
        for path in pinned:
            await client.unpin(path)
        for each in programs.values():
            await each.unload()
        raise
    return {name: await client.program(each.id) for name, each in programs.items()}


def _print_programs(rows: Sequence[Mapping[str, Json]]) -> None:
    print_table(rows, COLUMNS)
    for row in rows:
        if row["reason"]:
            echo(f"{row['id']}: {row['reason']}")


def _verdict_json(verdict: "Verdict") -> dict[str, Json]:
    return {
        "program": verdict.program,
        "section": verdict.section,
        "type": verdict.program_type_name,
        "accepted": verdict.accepted,
        "decided": verdict.decided,
        "verdict": _verdict_text(verdict),
        "judge": verdict.judge,
        "instructions": verdict.instruction_count,
        "loops": verdict.has_loops,
        "proved_loops": verdict.proved_loops,
        "steps": verdict.steps,
        "states": verdict.states,
        "worst_case": verdict.worst_case,
        "milliseconds": round(verdict.duration_ns / 1e6, 3),
        "cached": verdict.cached,
        "rejection": rejection_json(verdict.rejection) if verdict.rejection else None,
    }


def _verdict_text(verdict: "Verdict") -> str:
    if verdict.accepted:
        return "accepted"
    return "refused" if verdict.decided else "undecided"


def _print_verdicts(verdicts: "tuple[Verdict, ...]") -> None:
    columns = (
        "program",
        "type",
        "judge",
        "verdict",
        "instructions",
        "steps",
        "states",
        "worst_case",
        "milliseconds",
        "cached",
    )
    print_table([_verdict_json(each) for each in verdicts], columns)
    for each in verdicts:
        if each.rejection:
            print_rejection(each.rejection, undecided=not each.decided)
