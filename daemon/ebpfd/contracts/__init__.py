"""What extensions promise: program information and attach types, as values.

Everything here is immutable and knows nothing of sessions, wires or engines.
"""

from ebpfd.contracts.custom_maps import (
    MapClientData,
    MapProviderData,
    validate_map_provider,
)
from ebpfd.contracts.difference import Difference, differences, differences_in_use, summary
from ebpfd.contracts.digest import contract_digest
from ebpfd.contracts.known import (
    AmbiguousContractError,
    ContractLookupError,
    KnownContracts,
    KnownProgramType,
    UnknownAttachTypeError,
    UnknownProgramTypeError,
    UnknownSectionError,
)
from ebpfd.contracts.validation import (
    ContractError,
    validate_functions,
    validate_program_data,
)
from ebpfd.contracts.values import (
    AttachProviderData,
    BtfFunctionsData,
    BtfResolvedFunction,
    ChainRule,
    ContextDescriptor,
    ContextField,
    EngineInformation,
    ExtensionData,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramResult,
    ProgramTypeDescriptor,
    engine_information,
)

__all__ = [
    "AmbiguousContractError",
    "AttachProviderData",
    "BtfFunctionsData",
    "BtfResolvedFunction",
    "ChainRule",
    "ContextDescriptor",
    "ContextField",
    "ContractError",
    "ContractLookupError",
    "Difference",
    "EngineInformation",
    "ExtensionData",
    "HelperFunctionPrototype",
    "KnownContracts",
    "KnownProgramType",
    "MapClientData",
    "MapProviderData",
    "ProgramData",
    "ProgramInfo",
    "ProgramResult",
    "ProgramTypeDescriptor",
    "UnknownAttachTypeError",
    "UnknownProgramTypeError",
    "UnknownSectionError",
    "contract_digest",
    "differences",
    "differences_in_use",
    "engine_information",
    "summary",
    "validate_functions",
    "validate_map_provider",
    "validate_program_data",
]
