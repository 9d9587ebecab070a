"""The ``Contracts`` service."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc

from ebpfd.contracts import ContractError, KnownProgramType, ProgramData, contract_digest
from ebpfd.errors import RequestError
from ebpfd.host.contracts import Contracts
from ebpfd.host.services import Services
from ebpfd.rpc.contract_codec import decode_guid, encode_program_data
from ebpfd.rpc.contract_formats import CONTENT_TYPES, Format, decode, encode
from ebpfd.rpc.status import answering
from ebpfd_api.result import Result
from ebpfd_api.v1 import contracts_pb2 as pb
from ebpfd_api.v1 import contracts_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_FORMATS: Final[Mapping[int, Format]] = {
    pb.CONTRACT_FORMAT_PROTOBUF: Format.PROTOBUF,
    pb.CONTRACT_FORMAT_FLATBUFFERS: Format.FLATBUFFERS,
    pb.CONTRACT_FORMAT_JSON: Format.JSON,
    pb.CONTRACT_FORMAT_RPCE: Format.RPCE,
    pb.CONTRACT_FORMAT_RPCE_HISTORIC: Format.RPCE_HISTORIC,
    pb.CONTRACT_FORMAT_C: Format.C,
    pb.CONTRACT_FORMAT_FLAT: Format.FLAT,
}


class ContractsServicer(services_pb.ContractsServicer):
    """List, exchange and forget contracts."""

    def __init__(self, *, contracts: Contracts, services: Services) -> None:
        self._contracts = contracts
        self._services = services

    async def List(
        self, request: pb.ContractsListRequest, context: _Context
    ) -> pb.ContractsListResponse:
        """All program types, by name."""
        del request, context
        return pb.ContractsListResponse(contracts=map(self._encode, self._contracts.all()))

    async def Get(
        self, request: pb.ContractsGetRequest, context: _Context
    ) -> pb.ContractsGetResponse:
        """One program type."""
        del context
        response = pb.ContractsGetResponse()
        with answering(response.status):
            known = self._contracts.find(decode_contract_name(request.program_type))
            response.contract.CopyFrom(self._encode(known))
        return response

    async def Export(
        self, request: pb.ContractsExportRequest, context: _Context
    ) -> pb.ContractsExportResponse:
        """A contract as bytes."""
        del context
        response = pb.ContractsExportResponse()
        with answering(response.status):
            format_ = _format(request.format, "format")
            data = self._contracts.find(decode_contract_name(request.program_type)).data
            response.content = _encoded(data, format_)
            response.content_type = CONTENT_TYPES[format_]
        return response

    async def Convert(
        self, request: pb.ContractsConvertRequest, context: _Context
    ) -> pb.ContractsConvertResponse:
        """A contract in another form; it is not kept."""
        del context
        response = pb.ContractsConvertResponse()
        with answering(response.status):
            wanted = _format(request.to, "to")
            form = _format(getattr(request, "from"), "from")
            data = await asyncio.to_thread(_decoded, request.content, form)
            response.content = _encoded(data, wanted)
            response.content_type = CONTENT_TYPES[wanted]
        return response

    async def Import(
        self, request: pb.ContractsImportRequest, context: _Context
    ) -> pb.ContractsImportResponse:
        """Keep a contract."""
        del context
        response = pb.ContractsImportResponse()
        with answering(response.status):
            form = _format(request.format, "format")
            data = await asyncio.to_thread(_decoded, request.content, form)
            adding = self._contracts.add(data, request.file_name, provide=request.provide)
            known = await self._services.finish(adding, name="import")
            response.contract.CopyFrom(self._encode(known))
        return response

    async def Forget(
        self, request: pb.ContractsForgetRequest, context: _Context
    ) -> pb.ContractsForgetResponse:
        """Know nothing of a type any more."""
        del context
        response = pb.ContractsForgetResponse()
        with answering(response.status):
            forgetting = self._contracts.forget(decode_contract_name(request.program_type))
            await self._services.finish(forgetting, name="forget")
        return response

    def _encode(self, known: KnownProgramType) -> pb.Contract:
        data = known.data
        return pb.Contract(
            program_data=encode_program_data(data),
            digest=whole_digest(data),
            origin=known.origin,
            imported=known.imported,
            provided=self._contracts.is_provided(data.program_type),
        )


def whole_digest(data: ProgramData) -> bytes:
    """The digest of a program that calls every helper of its type."""
    return contract_digest(data, [helper.helper_id for helper in data.program_info.helpers()])


def decode_contract_name(message: pb.ContractName) -> UUID | str:
    """A GUID or a name."""
    if message.WhichOneof("name") != "guid":
        if not message.text:
            problem = "program_type: name the program type, or give its GUID"
            raise RequestError(Result.INVALID_ARGUMENT, problem)
        return message.text
    try:
        return decode_guid(message.guid, "program_type.guid")
    except ContractError as error:
        raise RequestError(Result.INVALID_ARGUMENT, str(error)) from None


def _format(number: int, field: str) -> Format:
    if number not in _FORMATS:
        problem = f"{field}: {number} is none that this daemon knows"
        raise RequestError(Result.INVALID_ARGUMENT, problem)
    return _FORMATS[number]


def _encoded(data: ProgramData, format_: Format) -> bytes:
    try:
        return encode(data, format_)
    except ContractError as error:
        message = f"{data.name} cannot be written as {format_.value}: {error}"
        raise RequestError(Result.OPERATION_NOT_SUPPORTED, message) from None


def _decoded(content: bytes, format_: Format) -> ProgramData:
    try:
        return decode(content, format_)
    except ContractError as error:
        message = f"this is no contract as {format_.value}: {error}"
        raise RequestError(Result.INVALID_ARGUMENT, message) from None
