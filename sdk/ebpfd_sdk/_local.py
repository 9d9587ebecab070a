"""Links whose programs run in this process: taken from the daemon, run by the engine at once.

The daemon's socket for it answers each request with descriptors: of the program's image, of the
gate that the daemon closes when it wants the program back, of what takes printed lines, and of the
maps.  Whatever keeps a link from being run here is no error: it is run by the daemon, and
``ebpfctl link show`` says why.
"""

import array
import asyncio
import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Generic, NamedTuple

from ebpfd_api.result import Result
from ebpfd_sdk._answer import RESULTS, Answer, C
from ebpfd_sdk._batch import Columns, answer_of
from ebpfd_sdk._errors import EbpfdError
from ebpfd_sdk._helper import Helper
from ebpfd_sdk._local_helpers import LocalHelpers, why_not
from ebpfd_sdk._origin import Origin, words_of
from ebpfd_sdk._policy import Fallback

if TYPE_CHECKING:
    from ebpfd_vm import Program, Trace
    from ebpfd_vm.sharing import Door, Gate

MAX_MESSAGE_BYTES: Final = 4096
MAX_DESCRIPTORS: Final = 253
ANSWER_S: Final = 10.0
"""What the daemon may take; it answers in the turn in which it is asked."""


class LocalProgram(Generic[C]):
    """A link's program in this process, for as long as the daemon leaves it here."""

    def __init__(
        self,
        program: "Program",
        gate: "Gate",
        type_: type[C],
        helpers: LocalHelpers | None = None,
    ) -> None:
        from ebpfd_vm import EngineError  # noqa: PLC0415 (whoever has no local program has none)

        self._refused = EngineError
        self._program = program
        self._gate = gate
        self._type = type_
        run = program.run_batch
        self._run_batch = run if helpers is None else helpers.as_batch(run)
        self._door: Door | None = None

    @property
    def taken_back(self) -> bool:
        """Whether the daemon runs the link again."""
        return self._gate.closed

    @property
    def runs(self) -> int:
        """How many events it has had here."""
        return self._gate.events().runs

    def opened(self, otherwise: Callable[..., int]) -> Callable[..., int]:
        """Return the engine's function that runs it on one context, and calls *otherwise* for else.

        That is what is not a context alone; and everything when the daemon has taken it back, or
        it is ``shut``.  A hook has one *otherwise*, and a program one hook.
        """
        if self._door is None:
            from ebpfd_vm.sharing import Door  # noqa: PLC0415 (as above)

            self._door = Door(self._program, otherwise, _error_of)
        self._door.open()
        return self._door.call

    def shut(self) -> None:
        """Let the function run nothing, whoever has kept it."""
        if self._door is not None:
            self._door.close()

    def invoke(
        self,
        context: bytes,
        data: bytes,
        fallback: Fallback,
        origin: Origin | None = None,
        meta_length: int = 0,
    ) -> Answer[C] | None:
        """Run it on one event; None: the daemon has taken it back."""
        meta_lengths = meta_length.to_bytes(4, "little") if meta_length else b""
        columns = self.run(context, 1, data, b"", meta_lengths, fallback, origin)
        return None if columns is None else answer_of(columns, context, data, self._type)

    def run(
        self,
        contexts: bytes,
        count: int,
        data: bytes,
        data_lengths: bytes,
        meta_lengths: bytes,
        fallback: Fallback,
        origin: Origin | None = None,
    ) -> Columns | None:
        """Run it on a batch; None: the daemon has taken it back.

        Without *origin* it is this process that causes it, as the daemon has said.
        """
        try:
            done = self._run_batch(
                contexts, count, data, data_lengths, meta_lengths, words_of(origin)
            )
        except self._refused as error:
            if self._gate.closed:
                return None
            code = RESULTS[error.code]
            return Columns(code, error.message, failure_result=fallback.result(code))
        results = _chosen(done.codes, done.results, fallback)
        return Columns(Result.SUCCESS, "", done.codes, results, done.contexts, done.data)


def _error_of(error: Exception) -> Exception:
    """Say in the SDK's words what the engine raised."""
    code, message = getattr(error, "code", None), str(error)
    if not isinstance(code, int):
        return error
    return EbpfdError(RESULTS[code], message)


def _chosen(codes: bytes, results: bytes, fallback: Fallback) -> bytes:
    """Put in what becomes of events whose run has failed."""
    if codes == bytes(len(codes)):
        return results
    chosen = bytearray(results)
    for index, code in enumerate(codes):
        if code:
            result = fallback.result(RESULTS[code])
            chosen[4 * index : 4 * index + 4] = result.to_bytes(4, "little")
    return bytes(chosen)


class LocalPrograms:
    """Takes the links of one session; without a socket *path* there are none."""

    def __init__(self, path: str, session_id: str) -> None:
        self._path = path
        self._session_id = session_id
        self._socket: socket.socket | None = None
        self._asking = asyncio.Lock()
        self._trace: Trace | None = None

    async def take(
        self, binding: int, type_: type[C], helpers: Mapping[int, Helper]
    ) -> LocalProgram[C] | str:
        """Take the program of a link, or say why the daemon runs it; *helpers* are its type's."""
        if not self._path:
            return "the daemon hands no programs over: it runs without --local"
        try:
            async with self._asking, asyncio.timeout(ANSWER_S):
                return await self._take(binding, type_, helpers)
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            return f"{self._path}: {error}"

    def close(self) -> None:
        """Take no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = self._trace = None

    async def _take(
        self, binding: int, type_: type[C], offered: Mapping[int, Helper]
    ) -> LocalProgram[C] | str:
        request: dict[str, str | int] = {"session": self._session_id, "binding": binding}
        try:
            from ebpfd_vm import EngineError, Program  # noqa: PLC0415 (it is optional)
            from ebpfd_vm.sharing import Gate, trace_through  # noqa: PLC0415 (same)
        except ImportError:
            refusal = "ebpfd-vm is not installed where the extension runs"
            await self._ask(request | {"cannot": refusal})
            return refusal
        said, descriptors = await self._ask(request)
        try:
            if said.refusal or len(descriptors) < 4:
                return said.refusal or "the daemon has sent no program"
            called = {each: offered[each] for each in said.helpers if each in offered}
            if why := why_not(called.values()):
                await self._ask(request | {"cannot": why})
                return why
            image, gate, lines, event, *others = descriptors
            led, maps = others[: said.led], others[said.led :]
            if self._trace is None:
                self._trace = trace_through(lines, event)
            words = Gate(gate)
            pid, tid, uid = said.origin
            helpers = LocalHelpers(called, said.helper_s) if called else None
            program = Program.of_image(
                image,
                maps,
                words,
                led=[Gate(each) for each in led],
                trace=self._trace,
                lane=said.lane,
                origin=(pid, tid, uid),
                helper=helpers,
            )
            return LocalProgram(program, words, type_, helpers)
        except EngineError as error:
            await self._ask(request | {"cannot": error.message})
            return error.message
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    async def _ask(self, request: dict[str, str | int]) -> tuple["_Said", Sequence[int]]:
        try:
            return await self._answer_to(request)
        except BaseException:
            self.close()  # an answer that comes late would be taken for that to the next request
            raise

    async def _answer_to(self, request: dict[str, str | int]) -> tuple["_Said", Sequence[int]]:
        loop = asyncio.get_running_loop()
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._socket = made
            made.setblocking(False)
            await loop.sock_connect(made, self._path)
        connection = self._socket
        await loop.sock_sendall(connection, json.dumps(request).encode())
        # The loop's own ways to receive drop descriptors.
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(connection, _wake, readable)
        try:
            await readable
        finally:
            loop.remove_reader(connection)
        return _receive(connection)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class _Said(NamedTuple):
    """What the daemon answers."""

    refusal: str
    lane: int | None = None
    """The one that this process has, if the program needs any."""

    origin: Sequence[int] = (0, 0, 0)
    """Process, thread and user for whom the daemon would run it."""

    led: int = 0
    """Programs that tail calls of it lead to, each of which has a gate of its own."""

    helpers: Sequence[int] = ()
    """Those that the program calls, the general ones among them."""

    helper_s: float = 0.0
    """What any of them may take."""


def _receive(connection: socket.socket) -> tuple[_Said, Sequence[int]]:
    descriptors = array.array("i")
    room = socket.CMSG_SPACE(MAX_DESCRIPTORS * descriptors.itemsize)
    message, ancillary, _, _ = connection.recvmsg(MAX_MESSAGE_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if not message:
        raise ConnectionResetError("the daemon has hung up")
    said = json.loads(message)
    asked = {name: said[name] for name in _Said._fields if name in said}
    return _Said(**asked), descriptors
