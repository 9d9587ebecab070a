"""Contracts as JSON: what is wrong with a text is named by its path."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from ebpfd.contracts import ContractError
from ebpfd.contracts.json_codec import decode_json, encode_json
from tests.daemon.contracts.samples import SAMPLE

Change = Callable[[Any], object]
"""Makes a document wrong, in place."""

DESCRIPTOR: Final = "program_info.type_descriptor"
OWN: Final = "program_info.program_type_specific_helpers"
WRONG: Final[dict[str, tuple[str, Change]]] = {
    "version": ("version", lambda json_: json_.update(version=2)),
    "unknown key": ("fields[2].kind", lambda json_: json_["fields"][2].update(kind="u32")),
    "unknown key at the top": ("helpers", lambda json_: json_.update(helpers=[])),
    "text for a number": (
        "fields[2].offset",
        lambda json_: json_["fields"][2].update(offset="16"),
    ),
    "true for a number": ("capabilities", lambda json_: json_.update(capabilities=True)),
    "number for true": (
        "fields[2].writable",
        lambda json_: json_["fields"][2].update(writable=1),
    ),
    "object for an array": ("results", lambda json_: json_.update(results={})),
    "array for an object": ("fields[0]", lambda json_: json_.update(fields=[[]])),
    "no name": (
        f"{DESCRIPTOR}.name",
        lambda json_: json_["program_info"]["type_descriptor"].pop("name"),
    ),
    "no GUID": (
        f"{DESCRIPTOR}.program_type",
        lambda json_: json_["program_info"]["type_descriptor"].update(program_type="f788"),
    ),
    "no base64": ("context_btf", lambda json_: json_.update(context_btf="!")),
    "no type of an argument": (
        f"{OWN}[1].arguments[0]",
        lambda json_: json_["program_info"]["program_type_specific_helpers"][1].update(
            arguments=["PTR_TO_NOWHERE"]
        ),
    ),
    "six arguments": (
        f"{OWN}[1].arguments",
        lambda json_: json_["program_info"]["program_type_specific_helpers"][1].update(
            arguments=["ANYTHING"] * 6
        ),
    ),
    "half a surrogate pair": ("context_type", lambda json_: json_.update(context_type="\ud800")),
    "number too large": ("capabilities", lambda json_: json_.update(capabilities=2**32)),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_by_its_path(case: str) -> None:
    """Wherever it stands."""
    field, change = WRONG[case]
    document = json.loads(encode_json(SAMPLE))
    change(document)
    with pytest.raises(ContractError) as caught:
        decode_json(json.dumps(document).encode())
    assert caught.value.field == field


@pytest.mark.parametrize(
    "text", [b"", b"[" * 100_000, b"\xff", b"9" * 100_000, b'{"version": NaN}']
)
def test_what_is_no_json_is_told(text: bytes) -> None:
    """Too deep or too long a number, too."""
    with pytest.raises(ContractError) as caught:
        decode_json(text)
    assert caught.value.field == "json"


def test_a_key_stands_once() -> None:
    """Which of two would count is nothing to guess."""
    twice = encode_json(SAMPLE).replace(
        b'"capabilities": 0', b'"capabilities": 1, "capabilities": 0'
    )
    with pytest.raises(ContractError) as caught:
        decode_json(twice)
    assert caught.value.field == "capabilities"


def test_defaults_may_be_left_out() -> None:
    """All that a contract needs is a name, a GUID and the size of its context."""
    small = {
        "program_info": {
            "type_descriptor": {
                "name": "small",
                "context_descriptor": {"size": 16},
                "program_type": str(SAMPLE.program_type),
            }
        }
    }
    data = decode_json(json.dumps(small).encode())
    assert (data.name, data.context.data, data.fields) == ("small", -1, ())
