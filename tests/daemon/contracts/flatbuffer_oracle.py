"""Contracts as the code reads and writes them that flatc makes of the schema.

It knows nothing of our tables: where both agree, others will, too.
"""
# mypy: disable-error-code="no-untyped-call, misc, import-untyped"
# pyright: basic

from collections.abc import Callable, Iterable
from typing import Any

import flatbuffers

from ebpfd.contracts import HelperFunctionPrototype, ProgramData
from ebpfd_api.fbs import ContextDescriptor as Context
from ebpfd_api.fbs import ContextField as Field
from ebpfd_api.fbs import HelperFunctionPrototype as Helper
from ebpfd_api.fbs import ProgramData as Data
from ebpfd_api.fbs import ProgramInfo as Info
from ebpfd_api.fbs import ProgramResult as Result
from ebpfd_api.fbs import ProgramTypeDescriptor as Descriptor


def read_by_flatc(content: bytes) -> list[Any]:
    """All that *content* holds, as plain values in the order of ``expected``."""
    assert Data.ProgramData.ProgramDataBufferHasIdentifier(content, 0)
    data: Any = Data.ProgramData.GetRootAs(content)
    info = data.ProgramInfo()
    descriptor = info.TypeDescriptor()
    context = descriptor.ContextDescriptor()
    return [
        _text(descriptor.Name()),
        [context.Size(), context.Data(), context.End(), context.Meta()],
        _octets(descriptor.ProgramTypeLength(), descriptor.ProgramType),
        descriptor.BpfProgType(),
        descriptor.IsPrivileged(),
        _each(info.ProgramTypeSpecificHelpersLength(), info.ProgramTypeSpecificHelpers, _helper),
        _each(info.GlobalHelpersLength(), info.GlobalHelpers, _helper),
        data.RequiredIrql(),
        data.Capabilities(),
        _each(data.HelperAddressesLength(), data.HelperAddresses, int),
        _each(data.FieldsLength(), data.Fields, _field),
        _each(data.SectionPrefixesLength(), data.SectionPrefixes, _text),
        _each(data.ResultsLength(), data.Results, _result),
        data.OtherResultsStop(),
        data.DefaultResult(),
        _text(data.ContextType()),
        _octets(data.ContextBtfLength(), data.ContextBtf),
    ]


def expected(data: ProgramData) -> list[Any]:
    """What ``read_by_flatc`` gives of *data*."""
    descriptor = data.program_info.type_descriptor
    context = data.context
    return [
        descriptor.name,
        [context.size, context.data, context.end, context.meta],
        descriptor.program_type.bytes,
        descriptor.bpf_prog_type,
        descriptor.is_privileged,
        [_plain(each) for each in data.program_info.program_type_specific_helpers],
        [_plain(each) for each in data.program_info.global_helpers],
        data.required_irql,
        data.capabilities,
        sorted(data.helper_addresses),
        [[f.name, f.offset, f.size, f.writable, f.hidden, f.type] for f in data.fields],
        list(data.section_prefixes),
        [[r.value, r.name, r.stops_chain] for r in data.results],
        data.other_results_stop,
        data.default_result,
        data.context_type,
        data.context_btf,
    ]


def written_by_flatc(data: ProgramData, builder: Any = None) -> bytes:
    """All of *data*; names that stand twice are shared."""
    b = builder or flatbuffers.Builder(16)
    info = _written_info(b, data)
    fields = _offsets(b, Data.StartFieldsVector, [_written_field(b, f) for f in data.fields])
    results = _offsets(b, Data.StartResultsVector, [_written_result(b, r) for r in data.results])
    prefixes = [b.CreateSharedString(each) for each in data.section_prefixes]
    prefix_vector = _offsets(b, Data.StartSectionPrefixesVector, prefixes)
    addresses = sorted(data.helper_addresses)
    Data.StartHelperAddressesVector(b, len(addresses))
    for each in reversed(addresses):
        b.PrependUint32(each)
    address_vector = b.EndVector()
    context_type = b.CreateSharedString(data.context_type)
    btf = b.CreateByteVector(data.context_btf)
    # Not the order of the schema: it must not matter.
    Data.Start(b)
    Data.AddContextBtf(b, btf)
    Data.AddContextType(b, context_type)
    Data.AddDefaultResult(b, data.default_result)
    Data.AddOtherResultsStop(b, data.other_results_stop)
    Data.AddResults(b, results)
    Data.AddSectionPrefixes(b, prefix_vector)
    Data.AddFields(b, fields)
    Data.AddHelperAddresses(b, address_vector)
    Data.AddCapabilities(b, data.capabilities)
    Data.AddRequiredIrql(b, data.required_irql)
    Data.AddProgramInfo(b, info)
    b.Finish(Data.End(b), file_identifier=b"EBPD")
    return bytes(b.Output())


def _written_info(b: Any, data: ProgramData) -> int:
    info = data.program_info
    descriptor = _written_descriptor(b, data)
    own = [_written_helper(b, each) for each in info.program_type_specific_helpers]
    own_vector = _offsets(b, Info.StartProgramTypeSpecificHelpersVector, own)
    general = [_written_helper(b, each) for each in info.global_helpers]
    general_vector = _offsets(b, Info.StartGlobalHelpersVector, general)
    Info.Start(b)
    Info.AddTypeDescriptor(b, descriptor)
    Info.AddProgramTypeSpecificHelpers(b, own_vector)
    Info.AddGlobalHelpers(b, general_vector)
    return int(Info.End(b))


def _written_descriptor(b: Any, data: ProgramData) -> int:
    descriptor = data.program_info.type_descriptor
    Context.Start(b)
    Context.AddSize(b, data.context.size)
    Context.AddData(b, data.context.data)
    Context.AddEnd(b, data.context.end)
    Context.AddMeta(b, data.context.meta)
    context = Context.End(b)
    name = b.CreateSharedString(descriptor.name)
    guid = b.CreateByteVector(descriptor.program_type.bytes)
    Descriptor.Start(b)
    Descriptor.AddName(b, name)
    Descriptor.AddContextDescriptor(b, context)
    Descriptor.AddProgramType(b, guid)
    Descriptor.AddBpfProgType(b, descriptor.bpf_prog_type)
    Descriptor.AddIsPrivileged(b, descriptor.is_privileged)
    return int(Descriptor.End(b))


def _written_helper(b: Any, helper: HelperFunctionPrototype) -> int:
    name = b.CreateSharedString(helper.name)
    # All five of them: what fills up may also be said.
    arguments = b.CreateByteVector(bytes(helper.arguments))
    code = b.CreateByteVector(helper.code)
    Helper.Start(b)
    Helper.AddHelperId(b, helper.helper_id)
    Helper.AddName(b, name)
    Helper.AddReturnType(b, helper.return_type)
    Helper.AddArguments(b, arguments)
    Helper.AddReallocatePacket(b, helper.reallocate_packet)
    Helper.AddImplicitContext(b, helper.implicit_context)
    Helper.AddCode(b, code)
    return int(Helper.End(b))


def _written_field(b: Any, field: Any) -> int:
    name, type_ = b.CreateSharedString(field.name), b.CreateSharedString(field.type)
    Field.Start(b)
    Field.AddName(b, name)
    Field.AddOffset(b, field.offset)
    Field.AddSize(b, field.size)
    Field.AddWritable(b, field.writable)
    Field.AddHidden(b, field.hidden)
    Field.AddType(b, type_)
    return int(Field.End(b))


def _written_result(b: Any, result: Any) -> int:
    name = b.CreateSharedString(result.name)
    Result.Start(b)
    Result.AddValue(b, result.value)
    Result.AddName(b, name)
    Result.AddStopsChain(b, result.stops_chain)
    return int(Result.End(b))


def _offsets(b: Any, start: Callable[[Any, int], object], offsets: list[int]) -> int:
    start(b, len(offsets))
    for each in reversed(offsets):
        b.PrependUOffsetTRelative(each)
    return int(b.EndVector())


def _each(length: int, get: Callable[[int], Any], plain: Callable[[Any], Any]) -> list[Any]:
    return [plain(get(index)) for index in range(length)]


def _octets(length: int, get: Callable[[int], int]) -> bytes:
    return bytes(get(index) for index in range(length))


def _text(value: Any) -> str:
    return (value or b"").decode()


def _helper(helper: Any) -> list[Any]:
    return [
        helper.HelperId(),
        _text(helper.Name()),
        helper.ReturnType(),
        _filled(_each(helper.ArgumentsLength(), helper.Arguments, int)),
        helper.ReallocatePacket(),
        helper.ImplicitContext(),
        _octets(helper.CodeLength(), helper.Code),
    ]


def _plain(helper: HelperFunctionPrototype) -> list[Any]:
    return [
        helper.helper_id,
        helper.name,
        int(helper.return_type),
        [int(each) for each in helper.arguments],
        helper.reallocate_packet,
        helper.implicit_context,
        helper.code,
    ]


def _filled(arguments: Iterable[int]) -> list[int]:
    return [*arguments, 0, 0, 0, 0, 0][:5]


def _field(field: Any) -> list[Any]:
    return [
        _text(field.Name()),
        field.Offset(),
        field.Size(),
        field.Writable(),
        field.Hidden(),
        _text(field.Type()),
    ]


def _result(result: Any) -> list[Any]:
    return [result.Value(), _text(result.Name()), result.StopsChain()]
