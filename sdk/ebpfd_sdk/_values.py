"""What the daemon tells its clients, as plain frozen values: no protobuf, no connection."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID


class Role(Enum):
    """The two sides of a contract."""

    CLIENT = 1
    PROVIDER = 2


class BindingState(Enum):
    """How far a binding is in its life."""

    ATTACHING = 1
    READY = 2
    DETACHING = 3
    CLEANUP = 4


class BindingCallback(Enum):
    """What a module of a binding is doing while others wait for it."""

    ATTACH = 1
    DETACH = 2
    CLEANUP = 3
    DRAIN = 4
    """Its detach callback has returned, and calls are still in flight."""


class ChangeKind(Enum):
    """What became of a registration or a binding."""

    ADDED = 2
    CHANGED = 3
    """A registration deregisters, or a binding is in another state."""

    GONE = 4


class Execution(Enum):
    """How a program runs."""

    JIT = 1
    INTERPRET = 2


class Judge(Enum):
    """Whose verdict is wanted: ANY is the one that counts, BOTH are one of each to compare."""

    ANY = "any"
    OURS = "ours"
    PREVAIL = "prevail"
    BOTH = "both"


class ProgramState(Enum):
    """Whether a program can run."""

    READY = 1
    WAITING = 2


class LinkState(Enum):
    """How far a link is in its life; WAITING: its hook's provider is away."""

    ATTACHING = 1
    ATTACHED = 2
    DETACHING = 3
    WAITING = 4


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the program's source, from its debug information."""

    file: str
    line: int
    column: int
    text: str


class Way(Enum):
    """What control does at one step of a path; UNKNOWN: something newer than this SDK."""

    UNKNOWN = 0
    BRANCH = 1
    ENTER = 2
    LEAVE = 3
    ROUND = 4


@dataclass(frozen=True, slots=True)
class PathStep:
    """One thing that control does on its way: a branch, a call or return, a loop's next round."""

    way: Way
    pc: int
    source: SourceLine | None
    text: str
    """Of a branch what is true on this path; else the function."""

    taken: bool
    """Whether the jump of a branch was taken: compilers turn conditions round."""

    next_pc: int
    """Where control goes on after a branch."""

    next: SourceLine | None
    times: int
    """How often in a row it is done, with the steps up to the next one of as many times."""


@dataclass(frozen=True, slots=True)
class RegisterFact:
    """What is known of a register, in words."""

    register: int
    text: str


class RegisterChange(Enum):
    """What happened to a register; UNKNOWN: something newer than this SDK."""

    UNKNOWN = 0
    WRITTEN = 1
    COPIED = 2
    SPILLED = 3
    FILLED = 4
    REFINED = 5
    INVALIDATED = 6
    PASSED = 7
    RETURNED = 8


@dataclass(frozen=True, slots=True)
class RegisterEvent:
    """One thing that happened to a register, or to the place that its value comes from."""

    change: RegisterChange
    pc: int
    source: SourceLine | None
    text: str


@dataclass(frozen=True, slots=True)
class Witness:
    """An input on which a program goes wrong, tried before it is told."""

    context: bytes
    """With zeros for its pointers."""

    data: bytes
    """Metadata, then data."""

    meta_length: int
    """Bytes of the metadata."""

    notes: tuple[str, ...]
    """What must also be so: what helpers return, what maps hold."""

    outcome: str
    """What happened when the checked interpreter ran the program on it."""

    pc: int
    """Where the run was stopped."""

    code: int
    """The run's result code."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the verifier refuses a program: one cause, not its cascade.

    From ``kind`` on, it is what ebpfd's own judge tells of a mistake that it has followed the
    program to; empty where it has not.
    """

    program: str
    section: str
    pc: int | None
    instruction: str
    reason: str
    hint: str
    detail: str
    source: SourceLine | None
    judge: str
    kind: str = ""
    """The kind of mistake: a name that never changes, such as "maybe-null"."""

    obligation: str = ""
    """What had to hold."""

    fact: str = ""
    """What is proved that comes nearest to it."""

    proof: str = ""
    """A check that the program makes, and why it does not help here."""

    path: tuple[PathStep, ...] = ()
    """How control comes to the instruction."""

    registers: tuple[RegisterFact, ...] = ()
    """Those that the instruction uses, the one at fault first."""

    history: tuple[RegisterEvent, ...] = ()
    """How the one at fault came to what it is, the oldest event first."""

    witness: Witness | None = None
    """An input on which the program goes wrong, where one was found."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier thinks of one program."""

    program: str
    section: str
    program_type_name: str
    accepted: bool
    rejection: Rejection | None
    judge: str
    instruction_count: int
    has_loops: bool
    duration_ns: int
    decided: bool
    """False: ebpfd's own judge cannot show that it is safe, and nobody else was asked."""

    worst_case: int | None
    """Instructions that one invocation executes at most, where ebpfd's own judge has proved it."""

    steps: int
    """Instructions that ebpfd's own judge has followed."""

    states: int
    """States that it has kept."""

    proved_loops: int
    """Loops that it has proved without following each round."""

    cached: bool
    """Whether it was given before; times and efforts are those of then."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a program; empty strings where there is nothing to say."""

    pc: int
    raw: bytes
    """As in an ELF file: 8 bytes, or 16."""

    text: str
    label: str
    """The function that begins here, or ``L`` and the pc of what jumps lead to."""

    reference: str
    """The label that it leads to, the map, helper or imported function that it names."""

    source: SourceLine | None


@dataclass(frozen=True, slots=True)
class Disassembly:
    """One program's instructions, with those of its sub-programs behind them."""

    program: str
    section: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class ProgramCounters:
    """How often a program ran, for how long, and what went wrong (by result code)."""

    runs: int
    nanoseconds: int
    failures: dict[int, int]


@dataclass(frozen=True, slots=True)
class LinkOutcomes:
    """A link's events by what they came to.

    Each is counted once, but for lost ones: those are also counted as what they were.
    """

    success: int = 0
    no_provider: int = 0
    """The extension that describes the program's type, or serves a helper, was gone."""

    timeout: int = 0
    """The budget was used up, or a helper was late."""

    error: int = 0
    """A helper raised or answered garbage, or anything else went wrong."""

    overload: int = 0
    """Too much waited already."""

    lost: int = 0
    """Their answers found no stream any more: the hook takes them as CANCELED."""

    broken: int = 0
    """The link was left alone, after too many failures."""


@dataclass(frozen=True, slots=True)
class Keepers:
    """Who still has a program or map that was given up; false if there is nobody."""

    links: tuple[int, ...]
    """Their ids."""

    maps: tuple[int, ...]
    """Ids of program arrays, or of maps of maps."""

    pins: tuple[str, ...] = ()
    """Paths."""

    owners: tuple[str, ...] = ()
    """Names of others that have it too."""

    def __bool__(self) -> bool:
        return bool(self.links or self.maps or self.pins or self.owners)


@dataclass(frozen=True, slots=True)
class TestRun:
    """What a test run came to."""

    __test__ = False  # no test of pytest's

    result: int
    context: bytes
    data: bytes
    duration_ns: int
    """Average of one run."""


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A line that a program printed."""

    time_ns: int
    """Since the epoch."""

    program_id: int
    program_name: str
    text: str
    lost: int
    """Lines lost before this one."""


@dataclass(frozen=True, slots=True)
class PeerProcess:
    """A process on the daemon's host, as the system knows it."""

    pid: int
    """In the daemon's eyes; 0: it cannot see it."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """Who has come over TLS."""

    names: tuple[str, ...]
    """The subject's alternative names, or the common name if it has none."""

    address: str
    """Where from."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the far end of a connection to the daemon, for sure; neither: not known."""

    process: PeerProcess | None = None
    certificate: PeerCertificate | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A module that is registered with the registrar."""

    registration: int
    role: Role
    npi: UUID
    npi_name: str
    module: UUID | int | None
    """GUID or interface LUID."""

    module_name: str
    number: int
    owner: str
    deregistering: bool
    binding_count: int
    peer: Peer | None = None
    """Of the owner's session; None: the daemon has registered it."""


@dataclass(frozen=True, slots=True)
class BindingWait:
    """A module that a binding waits for."""

    role: Role
    callback: BindingCallback
    module: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class Binding:
    """A client and a provider that found each other."""

    binding: int
    npi: UUID
    client: Registration
    provider: Registration
    state: BindingState
    waits: tuple[BindingWait, ...] = ()
    overdue: tuple[str, ...] = ()
    """Who took longer than the deadline and is not waited for any more, in words."""


@dataclass(frozen=True, slots=True)
class RegistrarSnapshot:
    """What the registrar knows at one moment; it makes all that was known before void."""

    registrations: tuple[Registration, ...]
    bindings: tuple[Binding, ...]
    lost: int
    """Changes that this reader missed since the last event, because it was slow."""


@dataclass(frozen=True, slots=True)
class RegistrarChange:
    """What became of one registration or one binding, and what it is now."""

    kind: ChangeKind
    subject: Registration | Binding
