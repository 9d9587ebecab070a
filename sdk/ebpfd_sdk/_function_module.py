"""Functions that programs of any type import by name: BTF-resolved, as kernel functions are."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS
from ebpfd_api.v1 import contract_pb2, registrar_pb2
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._guid import guid_of
from ebpfd_sdk._helper import Helper, HelperFunction
from ebpfd_sdk._provider import Declaration, Provider

F = TypeVar("F", bound=HelperFunction)


class FunctionModule(Declaration):
    """A module of functions; programs name it by its GUID.

    ``extern int lookup(u64 key) __attribute__((section(".ksyms")))
    __attribute__((btf_decl_tag("module_id:{GUID}")));``
    """

    def __init__(self, guid: str | UUID, *, name: str | None = None) -> None:
        self.guid = guid_of(f"module {name or ''}".rstrip(), guid)
        self.name = name or f"module {self.guid}"
        self.functions: list[Helper] = []

    def provider(self, streams: DataStreams) -> Provider:  # noqa: ARG002 (only hooks send)
        """Make the registrar's view of the module; for the extension, not for authors."""
        return FunctionProvider(self)

    def function(
        self,
        *,
        name: str | None = None,
        reallocate_packet: bool = False,
        deadline_s: float | None = None,
    ) -> Callable[[F], F]:
        """Offer the decorated function to programs; *deadline_s* is as that of a helper."""

        def offer(function: F) -> F:
            called = name or function.__name__
            if any(each.name == called for each in self.functions):
                raise DeclarationError(f"function {called}: {self.name} has one of this name")
            offered = Helper(
                len(self.functions),
                called,
                function,
                implicit_context=False,
                reallocate_packet=reallocate_packet,
                deadline_s=deadline_s,
            )
            if any(isinstance(parameter.type, type) for parameter in offered.parameters):
                raise DeclarationError(
                    f"function {called}: programs of any type may call it, so it takes no context"
                )
            self.functions.append(offered)
            return function

        return offer

    def functions_data(self) -> contract_pb2.BtfResolvedFunctionsData:
        """Say how programs call the functions."""
        prototypes = [each.prototype() for each in self.functions]
        return contract_pb2.BtfResolvedFunctionsData(
            functions=[
                contract_pb2.BtfResolvedFunctionPrototype(
                    name=each.name,
                    return_type=each.return_type,
                    arguments=each.arguments,
                    reallocate_packet=each.reallocate_packet,
                )
                for each in prototypes
            ]
        )


class FunctionProvider(Provider):
    """The registrar's view of a module of functions; each program that imports one is a client."""

    def __init__(self, declared: FunctionModule) -> None:
        self.guid = declared.guid
        self.label = f"functions {declared.name}"
        self._declared = declared

    def instance(self) -> registrar_pb2.RegistrationInstance:
        """Offer the prototypes under the module's GUID."""
        return registrar_pb2.RegistrationInstance(
            npi_id=BTF_RESOLVED_FUNCTIONS.bytes,
            module_id=registrar_pb2.ModuleId(guid=self.guid.bytes),
            characteristics=registrar_pb2.Characteristics(
                btf_resolved_functions=self._declared.functions_data()
            ),
        )

    def helpers(self) -> Mapping[int, Helper]:
        """Offer the declared functions, by their places."""
        return dict(enumerate(self._declared.functions))
