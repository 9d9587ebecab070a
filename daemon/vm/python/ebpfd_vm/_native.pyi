"""Types of the native engine; every name here is implemented in ``daemon/vm/src``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias, final

from typing_extensions import Buffer

class EngineError(Exception):
    """The engine refused an input; ``code`` is the ``ebpf_result`` that says how."""

    code: int
    message: str
    def __init__(self, code: int, message: str) -> None: ...

class HelperError(Exception):
    """Raised by a helper callback to end the invocation with ``code`` (an ``ebpf_result``)."""

    code: int
    message: str
    def __init__(self, code: int, message: str = "") -> None: ...

# What the engine reads of a contract.  The daemon's own values have these attributes.

class ContextDescriptor(Protocol):
    """Size of a context in bytes, and the byte offsets of its pointers (-1: none)."""

    @property
    def size(self) -> int: ...
    @property
    def data(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def meta(self) -> int: ...

class HelperFunctionPrototype(Protocol):
    """A helper; types are the numbers of ``ebpf_argument_type`` and ``ebpf_return_type``."""

    @property
    def helper_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def return_type(self) -> int: ...
    @property
    def arguments(self) -> Sequence[int]: ...
    @property
    def reallocate_packet(self) -> bool: ...
    @property
    def implicit_context(self) -> bool: ...

class ShippedHelper(Protocol):
    """A helper that comes as code: instructions, those of functions that it calls behind its own.

    One whose code is empty is served by somebody.
    """

    @property
    def helper_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def code(self) -> bytes: ...

class ImportableFunction(Protocol):
    """A BTF-resolved function; *module* is a GUID, its ``str`` in the usual form."""

    @property
    def module(self) -> object: ...
    @property
    def name(self) -> str: ...
    @property
    def return_type(self) -> int: ...
    @property
    def arguments(self) -> Sequence[int]: ...
    @property
    def reallocate_packet(self) -> bool: ...

FIRST_FUNCTION: Final = 0x8000_0000
"""Function *k* of a contract's table is called like a helper with this id plus *k*."""

class ProgramInformation(Protocol):
    """One program type as the verifier and the executors see it."""

    @property
    def name(self) -> str: ...
    @property
    def program_type(self) -> bytes:
        """Its GUID, by which arrays tell types; empty: they do by the name."""
    @property
    def context(self) -> ContextDescriptor: ...
    @property
    def is_privileged(self) -> bool: ...
    @property
    def helpers(self) -> Sequence[HelperFunctionPrototype]:
        """Type-specific helpers, and global ones that override general ones."""
    @property
    def functions(self) -> Sequence[ImportableFunction]:
        """BTF-resolved functions that programs may import."""
    @property
    def writable(self) -> Sequence[tuple[int, int]]:
        """(offset, size) of what comes back of a context after a run."""

@final
class Helper:
    """A general helper that the engine itself implements."""

    helper_id: int
    name: str
    return_type: int
    arguments: tuple[int, ...]
    reallocate_packet: bool
    implicit_context: bool

def general_helpers() -> list[Helper]:
    """The general helpers (facts of the model: ids below 65535) in id order."""

# Loader: bytes to values.  Pure and deterministic.

@final
class SourceLine:
    file: str
    line: int
    column: int
    text: str

@final
class MapSpec:
    """A map as an object file declares it; ``initial`` holds a data section's bytes.

    ``values`` are what the declaration puts under which index: names of programs or maps.
    """

    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    pinning: int
    inner: int | None
    values: list[tuple[int, str]]
    initial: bytes | None
    read_only: bool

@final
class ProgramSpec:
    """One program with its sub-programs linked behind it.

    A ``lddw`` with source 1 (map) or 2 (map value) holds an index into ``Object.maps``,
    a call with source 2 one into ``imports``: (module, name) of functions elsewhere.
    """

    name: str
    section: str
    instructions: bytes
    sha256: bytes
    """Of the instructions, and of whom their calls of imports mean."""

    debug_sha256: bytes
    """Of what an explanation names: functions, and lines of source."""

    map_indices: list[int]
    helper_ids: list[int]
    imports: list[tuple[str, str]]
    subprograms: list[tuple[str, int]]
    relocatable: bool
    """Whether instructions depend on layouts that `relocated` can find."""

    unresolved: list[tuple[int, str]]
    """Instructions that `relocated` found no answer for, and why: none may be reached."""

    def relocated(self, btf: bytes, /) -> ProgramSpec:
        """The program for the layouts that *btf* describes, found by name (CO-RE).

        It is this very object if *btf* is empty, or there is nothing to relocate.  BTF that is
        damaged raises `EngineError` INVALID_ARGUMENT.
        """

    def linked(self, helpers: Iterable[ShippedHelper], /) -> ProgramSpec:
        """The program with those *helpers* behind it that it calls and that come as code.

        Calls of them become calls of its own functions.  It is this very object if there are none.
        `EngineError` INVALID_ARGUMENT names a helper whose code is not in order.
        """

    linked_helpers: list[tuple[int, int]]
    """Those that `linked` has put there: (id, first instruction)."""

    def source_line(self, pc: int, /) -> SourceLine | None: ...

@final
class Object:
    """What an ELF file holds, independent of any environment."""

    programs: list[ProgramSpec]
    maps: list[MapSpec]
    license: str | None

def parse_object(data: bytes, /) -> Object:
    """Parse a BPF ELF file; ``EngineError`` ELF_PARSING_FAILED says what is wrong with it."""

@final
class DisassembledRow:
    """One instruction as people read it; empty strings where there is nothing to say."""

    pc: int
    raw: bytes
    """8 bytes as in an ELF file, or 16."""

    text: str
    label: str
    """The function that begins here, or ``L`` and the pc of what jumps lead to."""

    reference: str
    """The label that it leads to, the map, helper or imported function that it names."""

    source: SourceLine | None

def disassemble(
    program: ProgramSpec, maps: Mapping[int, str], helpers: Mapping[int, str], /
) -> list[DisassembledRow]:
    """All instructions of *program*; names of its object's maps by index, of helpers by id."""

# Verifier.

@final
class PathStep:
    """One thing that control does on its way.

    *text* is what is true of a branch on this path, else the name of the function.
    """

    way: Literal["branch", "enter", "leave", "round"]
    pc: int
    source: SourceLine | None
    text: str
    taken: bool
    next_pc: int | None
    next: SourceLine | None
    times: int

@final
class RegisterEvent:
    """One thing that happened to a register, or to the place that its value comes from."""

    change: Literal[
        "written",
        "copied",
        "spilled",
        "filled",
        "refined",
        "invalidated",
        "passed",
        "returned",
    ]
    pc: int
    source: SourceLine | None
    text: str

@final
class Witness:
    """An input on which a program goes wrong, as the checked interpreter has confirmed."""

    context: bytes
    """With zeros for its pointers."""

    data: bytes
    """Metadata, then data."""

    meta_length: int
    notes: list[str]
    """What must also be so: what maps hold, what the extension answers."""

    outcome: str
    pc: int
    """Where the run was stopped, and its ``ebpf_result``."""

    code: int

@final
class Explanation:
    """What our own judge can tell of a mistake that it has followed the program to."""

    kind: str
    """A name that never changes."""

    obligation: str
    """What had to hold."""

    fact: str
    """What is proved that comes nearest to it."""

    proof: str
    """A check that was made, and why it does not help here."""

    path: list[PathStep]
    registers: list[tuple[int, str]]
    """Those of the instruction, the one at fault first."""

    history: list[RegisterEvent]
    """How that one came to what it is, the oldest event first."""

    witness: Witness | None

@final
class Rejection:
    """Why a program is refused: one cause, not its cascade."""

    pc: int | None
    instruction: str
    reason: str
    hint: str
    detail: str
    source: SourceLine | None
    explanation: Explanation | None

@final
class Verdict:
    accepted: bool
    decided: bool
    """False: our own judge cannot show that it is safe, and the other one was not asked."""

    rejection: Rejection | None
    judge: str
    worst_case: int | None
    """Instructions that a run executes at most, if our own judge has proved it."""

    steps: int
    """Instructions that our own judge has followed."""

    states: int
    proved_loops: int
    peak_bytes: int
    has_loops: bool
    instruction_count: int
    duration_ns: int

Judges: TypeAlias = Literal["both", "ours", "prevail"]
"""Our own judge first and then prevail; or one of them alone."""

def verify(
    program: ProgramSpec,
    maps: Sequence[MapSpec],
    information: ProgramInformation,
    /,
    *,
    judges: Judges = "both",
) -> Verdict:
    """Judge one program; *maps* are all maps of its object, in order.

    Our own judge has limits.  Prevail may take long and much memory: ask it in a worker process.
    """

def verify_helper(helper: ShippedHelper, information: ProgramInformation, /) -> Rejection | None:
    """Judge a helper that comes as code against its prototype in *information*.

    None: it is safe whatever a program may pass.  Instructions are counted in its code.
    `EngineError` INVALID_ARGUMENT tells of code that is not in order.
    """

# Maps.

MapTemplate: TypeAlias = tuple[int, int, int, int]
"""What an inner map must be like: type, key size, value size, entries."""

def lane_count() -> int:
    """Lanes of this machine: each entry of a per-CPU map has as many values."""

def limit_map_memory(size_bytes: int | None, /) -> None:
    """Let all maps of this process have so many bytes together; what they have they keep.

    None: as much as there is.  A map that would need more gets NO_MEMORY.
    """

def map_memory() -> tuple[int, int]:
    """Bytes that all maps of this process have, and how often one got no more."""

@final
class Map:
    """A live map.  Errors are ``EngineError`` with the code that eBPF for Windows gives.

    Users see whole values: of a per-CPU map all lanes' values, each padded to eight bytes
    (*user_value_size*); of a map of maps or programs the four bytes of an id.  *inner* is what
    maps of a map of maps must be like.  *file* is an open descriptor of a file or memfd to live
    in (it stays the caller's); *shared* makes a new memfd, which ``fileno`` tells.  *event* is that
    of the process that reads the records of this one.
    """

    def __new__(
        cls,
        type: int,
        key_size: int,
        value_size: int,
        max_entries: int,
        *,
        name: str = "",
        flags: int = 0,
        initial: bytes | None = None,
        read_only: bool = False,
        inner: MapTemplate | None = None,
        file: int | None = None,
        shared: bool = False,
        event: int | None = None,
    ) -> Map: ...
    def renew(self, file: int | None = None) -> None:
        """Leave other processes behind: go on in a new memfd, or in the empty *file*.

        Contents, addresses and the number that ``fileno`` tells stay.  TIMEOUT, and nothing has
        changed, if invocations of this process do not leave the map for a moment.
        """
    @property
    def type(self) -> int: ...
    @property
    def key_size(self) -> int: ...
    @property
    def value_size(self) -> int: ...
    @property
    def user_value_size(self) -> int: ...
    @property
    def lanes(self) -> int:
        """Values that each entry has, or rings that the map has: 0 if it is not per-CPU."""
    @property
    def max_entries(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def flags(self) -> int: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def inner(self) -> MapTemplate | None: ...
    @property
    def count(self) -> int | None:
        """Entries that the map has now; None where there are none to count."""
    @property
    def reserved(self) -> int:
        """Bytes of addresses that the map takes; memory is taken as it is used."""
    def fileno(self) -> int:
        """The descriptor of the file or memfd that the map lives in."""
    def bind(self) -> None:
        """Let a HASH have ``max_entries`` at most from now on, in this process: OUT_OF_SPACE."""
    def lookup(self, key: bytes, /) -> bytes: ...
    def update(self, key: bytes, value: bytes, flags: int = 0, /) -> None: ...
    def delete(self, key: bytes, /) -> None: ...
    def take(self, key: bytes, /) -> bytes:
        """Look up and delete at once."""
    def push(self, value: bytes, flags: int = 0, /) -> None:
        """Add to a queue or stack; flag 2 drops the oldest value of a full one."""
    def pop(self) -> bytes: ...
    def peek(self) -> bytes: ...
    def next_key(self, key: bytes | None, /) -> bytes: ...
    def entries(self, after: bytes | None, limit: int, /) -> list[tuple[bytes, bytes]]:
        """Up to *limit* entries that follow *after*; an empty list at the end.

        INVALID_OBJECT: another process, which shares the map, has damaged what comes next.
        """
    def update_batch(self, keys: bytes, values: bytes, flags: int = 0, /) -> int:
        """Update keys that stand one behind the other, until one fails; how many there were."""
    def delete_batch(self, keys: bytes, /) -> int: ...
    def take_entries(self, after: bytes | None, limit: int, /) -> list[tuple[bytes, bytes]]:
        """As ``entries``, and remove them; an array's are set to zero."""
    def set_map(self, key: bytes, map: Map, map_id: int, flags: int = 0, /) -> None:
        """Put *map* under a key of a map of maps; lookups show *map_id*."""
    def set_program(self, key: bytes, program: Program, program_id: int, flags: int = 0, /) -> None:
        """Put *program* under a key of a PROG_ARRAY; lookups show *program_id*."""
    def clear_objects(self) -> None:
        """Let go of all maps and programs that this map holds."""
    @property
    def has_records(self) -> bool:
        """Whether this is a RINGBUF or a PERF_EVENT_ARRAY."""
    def read(self, limit: int, size: int, /) -> tuple[list[tuple[int, bytes]], list[int]]:
        """Take up to *limit* records, about *size* bytes: (lane, bytes), and lost ones by lane.

        Lost records are counted since the map was made.  There is one reader at a time.
        """
    def write(self, data: bytes, /) -> None:
        """Add a record, as a program does."""
    def event(self) -> int:
        """A descriptor that becomes readable when a record comes after ``arm``."""
    def arm(self) -> bool:
        """Ask for an event; False if there are records already."""
    def wake(self) -> None:
        """Let whoever waits for the event look: a process may have ended before it signalled."""
    @property
    def lost(self) -> int: ...

# Execution.

@final
class TraceLine:
    time_ns: int
    program: int
    text: str

@final
class Trace:
    """A bounded ring of printk lines; the oldest is dropped and counted when it is full.

    With *through* it keeps none: they are records of that map.
    """

    def __new__(cls, capacity: int = 1024, *, through: Map | None = None) -> Trace: ...
    @property
    def pending(self) -> bool: ...
    @property
    def lost(self) -> int: ...
    def drain(self) -> list[TraceLine]: ...

HelperCallback: TypeAlias = Callable[
    [int, list[int | bytes | Map | None], bytes], tuple[int, list[tuple[int, bytes]]]
]

@final
class BatchResult:
    codes: bytes
    """One ``ebpf_result`` a context, a byte each."""
    results: bytes
    """Little-endian u32 a context."""
    contexts: bytes
    """All contexts as the program left them; empty when none changed."""
    data: bytes
    """All data as the program left it; empty when none changed."""
    elapsed_ns: int

Tapes: TypeAlias = tuple[int, bytes, bytes]
"""What the runs of a batch were told: their lane, a tape for each, a u32 length for each.

``daemon/vm/src/exec/tape.rs`` says what a tape holds.
"""

@final
class Counters:
    runs: int
    nanoseconds: int
    failures: dict[int, int]

@final
class Tally:
    """Counts of runs for somebody beside their program, such as a link."""

    def __new__(cls) -> Tally: ...
    def counters(self) -> Counters: ...
    def latency(self) -> list[int]:
        """As that of a `Program`."""
    def follow(self, gate: Gate, /) -> None:
        """Count what another process counts at its gate."""
    def unfollow(self, gate: Gate, /) -> None:
        """Keep what it has counted, and look there no more; twice is once."""

@final
class Gate:
    """Words that the daemon shares with one process that runs a program for it.

    A new one is in a sealed memfd, which ``fileno`` tells; with *file* it is the one in there.
    A process that lies in it spoils its own numbers and no others.
    """

    def __new__(cls, file: int | None = None) -> Gate: ...
    def fileno(self) -> int: ...
    def close(self) -> None:
        """Let no invocation begin any more; those that have begun are inside."""
    @property
    def closed(self) -> bool: ...
    @property
    def busy(self) -> bool:
        """Whether an invocation is inside; of a closed gate that is not busy none ever will be."""
    @property
    def inside(self) -> int:
        """Invocations that are inside, as the process says: a batch is one."""
    def counters(self) -> Counters:
        """What was counted at this gate alone, of its program."""
    def events(self) -> Counters:
        """The same of a link, whose event is one wherever it went on, and failed where it ended."""

@final
class Door:
    """`Program.invoker` for callers who cannot always have a run; it is open at first.

    ``call`` is a builtin.  Of one positional argument that is bytes, a bytearray or a memoryview it
    makes a run, and what that raises is what *error* makes of the `EngineError` or BufferError.
    All other arguments go to *otherwise*, and so do all while it is closed, or when the gate of the
    program is.  OPERATION_NOT_SUPPORTED for a ``blocking`` program.
    """

    def __new__(
        cls,
        program: Program,
        otherwise: Callable[..., int],
        error: Callable[[Exception], BaseException],
        /,
    ) -> Door: ...
    @property
    def call(self) -> Callable[..., int]: ...
    def open(self) -> None: ...
    def close(self) -> None: ...

@final
class Lane:
    """One of the lanes of this machine, which another process has for as long as this lives.

    NO_MEMORY: other processes have all that there are for them.
    """

    def __new__(cls) -> Lane: ...
    @property
    def number(self) -> int: ...

@final
class Program:
    """A program ready to run.  ``blocking`` ones wait for *helper*: run them on a thread.

    *helper* answers for an extension and may take its time.  *local* has callbacks for
    single helpers and functions, by id, that answer at once: they do not make a program
    blocking, and must not wait.  *provided* maps, by their indices, are written by *helper* when
    the program calls general helper 2 or 3 for them: their provider must know of their elements.

    ``maps[i]`` stands for map *i* of the object, whether the program uses it or not.
    An invocation that fails leaves one line in *trace* that says why.

    *verified* promises that the verifier has accepted this program, for maps of these sizes and
    this *information*; only then it is compiled.  *proved* is the verdict's ``worst_case``: a
    program that surely ends within its budget is not metered.  *execution* "jit" that cannot be
    honoured raises `EngineError` with JIT_COMPILATION_FAILED.
    """

    def __new__(
        cls,
        program: ProgramSpec,
        maps: Sequence[Map],
        information: ProgramInformation,
        *,
        helper: HelperCallback | None = None,
        local: Mapping[int, HelperCallback] | None = None,
        provided: Sequence[int] = (),
        trace: Trace | None = None,
        tag: int = 0,
        budget: int | None = None,
        verified: bool = False,
        proved: int | None = None,
        execution: Literal["any", "jit", "interpreter"] = "any",
    ) -> Program: ...
    @property
    def blocking(self) -> bool: ...
    @property
    def uses_lane(self) -> bool:
        """Whether a run has a lane: its own values in per-CPU maps, its processor's number."""
    @property
    def executor(self) -> Literal["jit", "interpreter"]: ...
    @property
    def executor_reason(self) -> str:
        """Why the program is not compiled; empty if it is."""

    @property
    def metered(self) -> bool:
        """Whether instructions are counted while it runs, for want of a proved bound."""

    @property
    def worst_case(self) -> int | None:
        """The most instructions that a run can execute, if that is known."""

    @property
    def budget(self) -> int: ...
    def run_batch(
        self,
        contexts: Buffer,
        count: int,
        data: Buffer = b"",
        data_lengths: Buffer = b"",
        meta_lengths: Buffer = b"",
        origin: tuple[int, int, int | None] | None = None,
        tally: Tally | None = None,
        /,
    ) -> BatchResult:
        """Run once on each context.

        *origin* is (pid, tid, uid) of who caused the batch, for helpers that ask who is
        running; without it that is the calling thread, and its user is unknown.
        *tally* counts the batch, beside the program's own counters.
        """
    def record_batch(
        self,
        contexts: Buffer,
        count: int,
        data: Buffer = b"",
        data_lengths: Buffer = b"",
        meta_lengths: Buffer = b"",
        origin: tuple[int, int, int | None] | None = None,
        tally: Tally | None = None,
        /,
    ) -> tuple[BatchResult, Tapes]:
        """As ``run_batch``, and what the runs were told from outside."""
    def replay_batch(
        self,
        contexts: Buffer,
        count: int,
        data: Buffer,
        data_lengths: Buffer,
        meta_lengths: Buffer,
        origin: tuple[int, int, int | None] | None,
        tapes: Tapes,
        /,
    ) -> tuple[BatchResult, bytes]:
        """Run again what was recorded, of this program or another, on maps as they were then.

        The second value has a byte for each context: 1 if its run asked what no tape answers.
        Tapes that are damaged, or of a machine with more lanes, raise INVALID_ARGUMENT.
        """
    def test_run(
        self, context: Buffer, data: Buffer, meta_length: int, repeat: int, /
    ) -> tuple[int, int, bytes, bytes, int]:
        """Run *repeat* times on one context; (code, result, context, data, elapsed ns)."""
    def invoker(self) -> Callable[[Buffer], int]:
        """A builtin that runs the program on one context without data, and gives its result.

        What the contract lets a program write comes back into the buffer, if that is writable.
        An invocation that fails raises `EngineError` with its code.  It holds the GIL and costs
        little more than the program; OPERATION_NOT_SUPPORTED for a ``blocking`` one.
        """
    def counters(self) -> Counters:
        """Runs are exact; of those through an invoker one in 64 is timed for all."""
    def latency(self) -> list[int]:
        """Runs by how long they took, a number a bucket, up to the last bucket that has any.

        Four buckets for each power of two of nanoseconds, 140 in all.  Of a batch all runs count
        as lasting their mean.  Runs by tail calls are not here; those through an invoker may be
        missing, 63 at most, until it is let go.
        """
    def set_waits(self, waits: bool, /) -> None:
        """Say whether something that it needs is not there.

        Tail calls to it end with EXTENSION_FAILED_TO_LOAD while it waits.
        """
    def image(self, leads_to: Sequence[Program] = (), /) -> tuple[bytes, list[tuple[int, int]]]:
        """The program for another process, and the places of the maps whose files it wants.

        *leads_to* are all programs that tail calls of it, and of these, can lead to.  A place is
        the number of a program, 0 or that in *leads_to* from 1 on, and of a map there.
        OPERATION_NOT_SUPPORTED says what only this process has.
        """
    @staticmethod
    def of_image(
        image: int,
        maps: Sequence[int],
        gate: Gate,
        /,
        *,
        led: Sequence[Gate] = (),
        trace: Trace | None = None,
        lane: int | None = None,
        origin: tuple[int, int, int | None] | None = None,
        helper: HelperCallback | None = None,
    ) -> Program:
        """The program of an image, which nobody verifies again, on maps in these files.

        *image* is a memfd of this user's or of root's that is sealed against every change, *maps*
        are what ``sharing.descriptors`` gives for the image's places; all stay the caller's.
        Counts are kept at *gate*; once that is closed, INVALID_STATE.  Programs that it leads to
        keep theirs at the gates in *led*.  *lane* is the one that the
        process has: its runs take turns with it, and a program that ``uses_lane`` needs it.
        *origin* is who runs are for: pid, tid and uid.  *helper* answers for the extension, at
        once and in this process; for an argument that is a map it gets None.
        """
    def follow(self, gate: Gate, /) -> None:
        """Count what another process counts at its gate."""
    def unfollow(self, gate: Gate, /) -> None:
        """Keep what it has counted, and look there no more; twice is once."""
