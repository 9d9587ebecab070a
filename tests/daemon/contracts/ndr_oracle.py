"""The types of ``program_data.idl`` as impacket writes and reads them.

Impacket knows nothing of our codec: where both agree, others will, too.
"""
# mypy: disable-error-code="no-untyped-call, misc, import-untyped"
# pyright: basic

from collections.abc import Iterable
from typing import Any, Final

from impacket.dcerpc.v5.dtypes import GUID, LONG, LPSTR, NULL, ULONG, USHORT
from impacket.dcerpc.v5.ndr import (
    NDRPOINTER,
    NDRSTRUCT,
    NDRUSMALL,
    NDRUniConformantArray,
)
from impacket.dcerpc.v5.rpcrt import TypeSerialization1

from ebpfd.contracts import HelperFunctionPrototype, ProgramData, ProgramInfo

ALIGNMENT: Final = 8


class Context(NDRSTRUCT):
    """``context_descriptor``."""

    structure = (("size", LONG), ("data", LONG), ("end", LONG), ("meta", LONG))


class ContextPointer(NDRPOINTER):
    """``context_descriptor *``."""

    referent = (("Data", Context),)


class Descriptor(NDRSTRUCT):
    """``program_type_descriptor``."""

    structure = (
        ("name", LPSTR),
        ("context_descriptor", ContextPointer),
        ("program_type", GUID),
        ("bpf_prog_type", ULONG),
        ("is_privileged", NDRUSMALL),
    )


class DescriptorPointer(NDRPOINTER):
    """``program_type_descriptor *``."""

    referent = (("Data", Descriptor),)


class Octets(NDRUniConformantArray):
    """``byte []``."""

    item = "c"


class OctetsPointer(NDRPOINTER):
    """``byte *``."""

    referent = (("Data", Octets),)


class Helper(NDRSTRUCT):
    """``helper_function_prototype``."""

    structure = (
        ("helper_id", ULONG),
        ("name", LPSTR),
        ("return_type", ULONG),
        *((f"argument_{number}", ULONG) for number in range(5)),
        ("reallocate_packet", NDRUSMALL),
        ("implicit_context", NDRUSMALL),
        ("code_size", ULONG),
        ("code", OctetsPointer),
    )


class Helpers(NDRUniConformantArray):
    """``helper_function_prototype []``."""

    item = Helper


class HelpersPointer(NDRPOINTER):
    """``helper_function_prototype *``."""

    referent = (("Data", Helpers),)


class Info(NDRSTRUCT):
    """``program_info``."""

    structure = (
        ("type_descriptor", DescriptorPointer),
        ("own_count", ULONG),
        ("own", HelpersPointer),
        ("global_count", ULONG),
        ("global", HelpersPointer),
    )


class InfoPointer(NDRPOINTER):
    """``program_info *``."""

    referent = (("Data", Info),)


class Field(NDRSTRUCT):
    """``context_field``."""

    structure = (
        ("name", LPSTR),
        ("offset", ULONG),
        ("size", ULONG),
        ("writable", NDRUSMALL),
        ("hidden", NDRUSMALL),
        ("type", LPSTR),
    )


class Fields(NDRUniConformantArray):
    """``context_field []``."""

    item = Field


class FieldsPointer(NDRPOINTER):
    """``context_field *``."""

    referent = (("Data", Fields),)


class Prefix(NDRSTRUCT):
    """``section_prefix``."""

    structure = (("prefix", LPSTR),)


class Prefixes(NDRUniConformantArray):
    """``section_prefix []``."""

    item = Prefix


class PrefixesPointer(NDRPOINTER):
    """``section_prefix *``."""

    referent = (("Data", Prefixes),)


class Result(NDRSTRUCT):
    """``program_result``."""

    structure = (("value", ULONG), ("name", LPSTR), ("stops_chain", NDRUSMALL))


class Results(NDRUniConformantArray):
    """``program_result []``."""

    item = Result


class ResultsPointer(NDRPOINTER):
    """``program_result *``."""

    referent = (("Data", Results),)


class Numbers(NDRUniConformantArray):
    """``unsigned long []``."""

    item = "<L"


class NumbersPointer(NDRPOINTER):
    """``unsigned long *``."""

    referent = (("Data", Numbers),)


class Data(NDRSTRUCT):
    """``program_data``."""

    structure = (
        ("program_info", InfoPointer),
        ("required_irql", ULONG),
        ("capabilities", ULONG),
        ("address_count", ULONG),
        ("helper_addresses", NumbersPointer),
        ("field_count", ULONG),
        ("fields", FieldsPointer),
        ("prefix_count", ULONG),
        ("section_prefixes", PrefixesPointer),
        ("result_count", ULONG),
        ("results", ResultsPointer),
        ("other_results_stop", NDRUSMALL),
        ("default_result", ULONG),
        ("context_type", LPSTR),
        ("btf_size", ULONG),
        ("context_btf", OctetsPointer),
    )


class DataPointer(NDRPOINTER):
    """``program_data *``."""

    referent = (("Data", Data),)


class Serialized(TypeSerialization1):
    """Our own type."""

    structure = (("Data", DataPointer),)


class HistoricDescriptor(NDRSTRUCT):
    """``historic_program_type_descriptor``."""

    structure = (
        ("name", LPSTR),
        ("context_descriptor", ContextPointer),
        ("program_type", GUID),
        ("is_privileged", NDRUSMALL),
    )


class HistoricHelper(NDRSTRUCT):
    """``historic_helper_function_prototype``."""

    structure = (
        ("helper_id", ULONG),
        ("name", LPSTR),
        ("return_type", USHORT),
        *((f"argument_{number}", USHORT) for number in range(5)),
    )


class HistoricHelpers(NDRUniConformantArray):
    """``historic_helper_function_prototype []``."""

    item = HistoricHelper


class HistoricHelpersPointer(NDRPOINTER):
    """``historic_helper_function_prototype *``."""

    referent = (("Data", HistoricHelpers),)


class HistoricInfo(NDRSTRUCT):
    """``historic_program_info``."""

    structure = (
        ("type_descriptor", HistoricDescriptor),
        ("own_count", ULONG),
        ("own", HistoricHelpersPointer),
        ("global_count", ULONG),
        ("global", HistoricHelpersPointer),
    )


class HistoricInfoPointer(NDRPOINTER):
    """``historic_program_info *``."""

    referent = (("Data", HistoricInfo),)


class HistoricSerialized(TypeSerialization1):
    """The historical type."""

    structure = (("Data", HistoricInfoPointer),)


def impackets(data: ProgramData) -> bytes:
    """*data* as impacket serializes it."""
    whole = Serialized()
    target = whole["Data"]
    info = target["program_info"]
    descriptor = info["type_descriptor"]
    _describe(descriptor, data.program_info)
    descriptor["bpf_prog_type"] = data.program_info.type_descriptor.bpf_prog_type
    _helpers(info, data.program_info, Helper)
    target["required_irql"], target["capabilities"] = data.required_irql, data.capabilities
    _many(target, "address_count", "helper_addresses", sorted(data.helper_addresses))
    _many(target, "field_count", "fields", [_field(each) for each in data.fields])
    prefixes = [_structure(Prefix, prefix=_text(each)) for each in data.section_prefixes]
    _many(target, "prefix_count", "section_prefixes", prefixes)
    results = [
        _structure(
            Result, value=each.value, name=_text(each.name), stops_chain=int(each.stops_chain)
        )
        for each in data.results
    ]
    _many(target, "result_count", "results", results)
    target["other_results_stop"] = int(data.other_results_stop)
    target["default_result"] = data.default_result
    target["context_type"] = _text(data.context_type)
    _many(target, "btf_size", "context_btf", [bytes([each]) for each in data.context_btf])
    return _written(whole)


def impackets_historic(data: ProgramData) -> bytes:
    """*data* in the historical shape as impacket serializes it."""
    whole = HistoricSerialized()
    info = whole["Data"]
    _describe(info["type_descriptor"], data.program_info)
    _helpers(info, data.program_info, HistoricHelper)
    return _written(whole)


def read_by_impacket(content: bytes) -> dict[str, Any]:
    """What impacket finds in our serialization."""
    whole = Serialized(content)
    whole.fromStringReferents(content[len(whole.getData()) :])
    data = whole["Data"]
    return {
        **_info(data["program_info"], data["program_info"]["type_descriptor"]),
        "bpf_prog_type": data["program_info"]["type_descriptor"]["bpf_prog_type"],
        "required_irql": data["required_irql"],
        "capabilities": data["capabilities"],
        "helper_addresses": list(data["helper_addresses"] or ()),
        "fields": [
            (
                _plain(each["name"]),
                each["offset"],
                each["size"],
                each["writable"],
                each["hidden"],
                _plain(each["type"]),
            )
            for each in data["fields"] or ()
        ],
        "section_prefixes": [_plain(each["prefix"]) for each in data["section_prefixes"] or ()],
        "results": [
            (each["value"], _plain(each["name"]), each["stops_chain"])
            for each in data["results"] or ()
        ],
        "other_results_stop": data["other_results_stop"],
        "default_result": data["default_result"],
        "context_type": _plain(data["context_type"]),
        "context_btf": b"".join(data["context_btf"] or ()),
    }


def expected(data: ProgramData) -> dict[str, Any]:
    """The same from the value."""
    descriptor, context = data.program_info.type_descriptor, data.context
    return {
        "name": descriptor.name,
        "context": (context.size, context.data, context.end, context.meta),
        "program_type": descriptor.program_type.bytes_le,
        "is_privileged": descriptor.is_privileged,
        "own": [_told(each) for each in data.program_info.program_type_specific_helpers],
        "global": [_told(each) for each in data.program_info.global_helpers],
        "bpf_prog_type": descriptor.bpf_prog_type,
        "required_irql": data.required_irql,
        "capabilities": data.capabilities,
        "helper_addresses": sorted(data.helper_addresses),
        "fields": [
            (each.name, each.offset, each.size, each.writable, each.hidden, each.type)
            for each in data.fields
        ],
        "section_prefixes": list(data.section_prefixes),
        "results": [(each.value, each.name, each.stops_chain) for each in data.results],
        "other_results_stop": data.other_results_stop,
        "default_result": data.default_result,
        "context_type": data.context_type,
        "context_btf": data.context_btf,
    }


def _told(helper: HelperFunctionPrototype) -> tuple[object, ...]:
    beyond = (helper.reallocate_packet, helper.implicit_context, helper.code)
    return (helper.helper_id, helper.name, helper.return_type, *helper.arguments, *beyond)


def _info(info: Any, descriptor: Any) -> dict[str, Any]:
    context = descriptor["context_descriptor"]
    return {
        "name": _plain(descriptor["name"]),
        "context": tuple(context[name] for name in ("size", "data", "end", "meta")),
        "program_type": bytes(descriptor["program_type"]),
        "is_privileged": descriptor["is_privileged"],
        **{
            kind: [
                (
                    each["helper_id"],
                    _plain(each["name"]),
                    each["return_type"],
                    *(each[f"argument_{number}"] for number in range(5)),
                    each["reallocate_packet"],
                    each["implicit_context"],
                    b"".join(each["code"] or ()),
                )
                for each in info[kind] or ()
            ]
            for kind in ("own", "global")
        },
    }


def _describe(descriptor: Any, info: ProgramInfo) -> None:
    said = info.type_descriptor
    descriptor["name"] = _text(said.name)
    for name in ("size", "data", "end", "meta"):
        descriptor["context_descriptor"][name] = getattr(said.context_descriptor, name)
    descriptor["program_type"] = said.program_type.bytes_le
    descriptor["is_privileged"] = int(said.is_privileged)


def _helpers(target: Any, info: ProgramInfo, kind: Any) -> None:
    for name, helpers in (
        ("own", info.program_type_specific_helpers),
        ("global", info.global_helpers),
    ):
        _many(target, f"{name}_count", name, [_helper(each, kind) for each in helpers])


def _helper(helper: HelperFunctionPrototype, kind: Any) -> Any:
    made = _structure(
        kind,
        helper_id=helper.helper_id,
        name=_text(helper.name),
        return_type=int(helper.return_type),
        **{f"argument_{number}": int(each) for number, each in enumerate(helper.arguments)},
    )
    if kind is Helper:
        made["reallocate_packet"] = int(helper.reallocate_packet)
        made["implicit_context"] = int(helper.implicit_context)
        _many(made, "code_size", "code", [bytes([each]) for each in helper.code])
    return made


def _field(field: Any) -> Any:
    return _structure(
        Field,
        name=_text(field.name),
        offset=field.offset,
        size=field.size,
        writable=int(field.writable),
        hidden=int(field.hidden),
        type=_text(field.type),
    )


def _structure(kind: Any, **values: Any) -> Any:
    made = kind()
    for name, value in values.items():
        made[name] = value
    return made


def _many(target: Any, count: str, name: str, members: Iterable[Any]) -> None:
    listed = list(members)
    target[count] = len(listed)
    target[name] = listed or NULL


def _text(text: str) -> bytes:
    return text.encode() + b"\0"


def _plain(text: Any) -> str:
    said = text.decode() if isinstance(text, bytes) else str(text)
    return said.removesuffix("\0")


def _written(whole: Any) -> bytes:
    content = whole.getData()
    content += whole.getDataReferents(len(content))
    content += bytes(-len(content) % ALIGNMENT)
    # Impacket counts without the padding, which belongs to the object.
    length = (len(content) - 16).to_bytes(4, "little")
    return bytes(content[:8] + length + content[12:])
