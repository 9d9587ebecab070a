"""Program types: what programs of an extension may see and call."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Generic, TypeVar
from uuid import UUID

from ebpfd_api.npi import PROGRAM_INFORMATION
from ebpfd_api.v1 import contract_pb2, registrar_pb2
from ebpfd_sdk._answer import C
from ebpfd_sdk._btf import context_btf
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._guid import guid_of
from ebpfd_sdk._helper import FIRST_OWN_ID, Helper, HelperCode, HelperFunction, check_id
from ebpfd_sdk._native_context import ContextFunctions, CreateContext, DestroyContext
from ebpfd_sdk._provider import Declaration, Provider
from ebpfd_sdk._u32 import check_u32

F = TypeVar("F", bound=HelperFunction)


class ProgramType(Declaration, Generic[C]):
    """A kind of programs: its GUID, its context, its helpers and its ELF sections.

    *results* gives names to what programs return.  After one of *stop_on*, and with
    *other_results_stop* after one without a name, no further program of a chain is run; a chain
    that ran none ends with *default_result*.
    """

    def __init__(
        self,
        guid: str | UUID,
        context: type[C],
        *,
        name: str | None = None,
        section: str | tuple[str, ...] = (),
        bpf_prog_type: int = 0,
        context_type: str | None = None,
        results: Mapping[int, str] | None = None,
        stop_on: Collection[int] = (),
        other_results_stop: bool = False,
        default_result: int = 0,
        privileged: bool = False,
        required_irql: int = 0,
    ) -> None:
        if not hasattr(context, "layout"):
            what = getattr(context, "__name__", context)
            raise DeclarationError(f"program type {name or guid}: {what} has no fields")
        self.guid = guid_of(f"program type {name or context.__name__}", guid)
        self.context = context
        self.name = name or context.__name__
        self.sections = (section,) if isinstance(section, str) else section
        self.bpf_prog_type = bpf_prog_type
        self.context_type = context_type or f"{_identifier(self.name)}_context_t"
        """What the exported C header calls the context."""

        self.results = dict(results or {})
        self.stop_on = frozenset(stop_on)
        self.other_results_stop = other_results_stop
        self.default_result = default_result
        for result in (*self.results, *self.stop_on, default_result):
            check_u32(f"program type {self.name}: result", result)
        if unnamed := self.stop_on - self.results.keys():
            raise DeclarationError(
                f"program type {self.name}: stop_on has {min(unnamed)}, which results does not name"
            )
        self.privileged = privileged
        self.required_irql = required_irql
        self.helpers: dict[int, Helper] = {}
        self.context_functions = ContextFunctions(context)

    def provider(self, streams: DataStreams) -> Provider:  # noqa: ARG002 (only hooks send)
        """Make the registrar's view of the type; for the extension, not for authors."""
        return ProgramTypeProvider(self)

    def helper(
        self,
        id_: int,
        *,
        name: str | None = None,
        implicit_context: bool = False,
        reallocate_packet: bool = False,
        deadline_s: float | None = None,
        code: HelperCode | None = None,
    ) -> Callable[[F], F]:
        """Offer the decorated function to programs; ids below 0xffff override general helpers.

        A program that has waited for *deadline_s* seconds ends with TIMEOUT, and the call of an
        ``async def`` is cancelled.  Left out, it is a second; the daemon has a maximum.

        With *code* the helper is a function of that name in an object file, which
        ``clang -O2 -target bpf -c`` makes.  The daemon judges it when the extension connects, and
        links it into programs: no call reaches the extension.  The decorated function gives the
        prototype, and may be the helper's twin in tests.
        """
        check_id(id_)

        def offer(function: F) -> F:
            helper = Helper(
                id_,
                name or function.__name__,
                function,
                implicit_context=implicit_context,
                reallocate_packet=reallocate_packet,
                deadline_s=deadline_s,
                code=code,
            )
            for parameter in helper.parameters:
                if isinstance(parameter.type, type) and parameter.type is not self.context:
                    raise DeclarationError(
                        f"helper {helper.name}, parameter {parameter.name}: programs of type "
                        f"{self.name} have a {self.context.__name__}"
                    )
            if other := self.helpers.get(id_):
                raise DeclarationError(
                    f"helper {helper.name}: {other.name} has the id {id_:#x} already"
                )
            if any(each.name == helper.name for each in self.helpers.values()):
                raise DeclarationError(f"helper {helper.name}: {self.name} has one of this name")
            self.helpers[id_] = helper
            return function

        return offer

    def context_create(self, function: CreateContext[C]) -> CreateContext[C]:
        """Let the decorated function make what a program sees in a test run, from what users give.

        It needs a ``context_destroy``; without both, users give and get what the program sees.
        """
        self.context_functions = replace(self.context_functions, create=function)
        return function

    def context_destroy(self, function: DestroyContext[C]) -> DestroyContext[C]:
        """Let the decorated function make what users get, from what a program left."""
        self.context_functions = replace(self.context_functions, destroy=function)
        return function

    def program_data(self) -> contract_pb2.ProgramData:
        """Build the contract that programs are verified against."""
        prototypes = [self.helpers[id_].prototype() for id_ in sorted(self.helpers)]
        return contract_pb2.ProgramData(
            program_info=contract_pb2.ProgramInfo(
                type_descriptor=contract_pb2.ProgramTypeDescriptor(
                    name=self.name,
                    context_descriptor=self.context.layout.descriptor(),
                    program_type=self.guid.bytes,
                    bpf_prog_type=self.bpf_prog_type,
                    is_privileged=self.privileged,
                ),
                program_type_specific_helpers=[
                    prototype for prototype in prototypes if prototype.helper_id >= FIRST_OWN_ID
                ],
                global_helpers=[
                    prototype for prototype in prototypes if prototype.helper_id < FIRST_OWN_ID
                ],
            ),
            required_irql=self.required_irql,
            # Those that come as code nobody has to serve.
            helper_addresses=sorted(id_ for id_, each in self.helpers.items() if not each.code),
            fields=self.context.layout.offered(),
            section_prefixes=self.sections,
            results=[
                contract_pb2.ProgramResult(
                    value=value, name=name, stops_chain=value in self.stop_on
                )
                for value, name in self.results.items()
            ],
            other_results_stop=self.other_results_stop,
            default_result=self.default_result,
            context_type=self.context_type,
            context_btf=context_btf(self.context_type, self.context.layout),
        )


def _identifier(text: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)
    return f"_{plain}" if plain[:1].isdigit() else plain


class ProgramTypeProvider(Provider, Generic[C]):
    """The registrar's view of a program type; each program of the type is a client.

    Any program is welcome: the daemon has verified it against the contract.  A detach waits for
    nothing, because helper calls belong to invocations, which the daemon ends first.
    """

    def __init__(self, declared: ProgramType[C]) -> None:
        self.guid = declared.guid
        self.label = f"program type {declared.name}"
        self._declared = declared

    async def attach(self, callback: registrar_pb2.AttachCallback) -> registrar_pb2.BindingSide:
        """Tell the program which functions there are beside helpers."""
        side = await super().attach(callback)
        if functions := self._declared.context_functions.functions:
            side.dispatch.version = 1
            side.dispatch.functions.extend(functions)
        return side

    async def call_context(self, call: registrar_pb2.ContextCall) -> registrar_pb2.ContextReturn:
        """Make or end the context of a test run."""
        return await self._declared.context_functions.call(call, self.label)

    def instance(self) -> registrar_pb2.RegistrationInstance:
        """Offer the program data under the program type's GUID."""
        return registrar_pb2.RegistrationInstance(
            npi_id=PROGRAM_INFORMATION.bytes,
            module_id=registrar_pb2.ModuleId(guid=self.guid.bytes),
            characteristics=registrar_pb2.Characteristics(
                program_data=self._declared.program_data()
            ),
        )

    def helpers(self) -> Mapping[int, Helper]:
        """Offer the declared functions to programs."""
        return self._declared.helpers
