"""What has been registered or imported so far, remembered when its provider has gone.

So a program can be verified, and an error can name what exists, while an extension is away.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ebpfd.contracts.values import (
    AttachProviderData,
    BtfFunctionsData,
    BtfResolvedFunction,
    ProgramData,
)
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION

_KINDS: Final = {PROGRAM_INFORMATION: "program type", HOOK: "hook"}
_FORGET: Final = {PROGRAM_INFORMATION: "ebpfctl contract forget", HOOK: "ebpfctl hook remove"}


class ContractLookupError(LookupError):
    """What was asked for means no contract, or more than one."""


class UnknownSectionError(ContractLookupError):
    """No known program type claims a section; ``prefixes`` are those that are claimed."""

    def __init__(self, section: str, prefixes: list[str]) -> None:
        known = ", ".join(prefixes) or "none: no extension has registered yet"
        super().__init__(
            f'section "{section}" belongs to no known program type (known prefixes: {known})'
        )
        self.prefixes = prefixes


class UnknownProgramTypeError(ContractLookupError):
    """Nobody ever registered or imported this program type; ``names`` are those that are known."""

    def __init__(self, wanted: str, names: list[str]) -> None:
        known = ", ".join(names) or "none: no extension has registered yet"
        super().__init__(f'unknown program type "{wanted}" (known: {known})')
        self.names = names


class UnknownAttachTypeError(ContractLookupError):
    """Nobody ever registered this attach type; ``names`` are those that were."""

    def __init__(self, wanted: str, names: list[str]) -> None:
        known = ", ".join(names) or "none: no extension has registered yet"
        super().__init__(f'unknown attach type "{wanted}" (known: {known})')
        self.names = names


class AmbiguousContractError(ContractLookupError):
    """Several contracts suit *wanted* equally well; ``guids`` are theirs."""

    def __init__(self, wanted: str, kind: str, guids: Sequence[UUID], forget: str) -> None:
        which = ", ".join(map(str, guids))
        advice = f"`{forget} GUID` removes one whose extension is gone for good"
        super().__init__(f"{wanted} may be any of {len(guids)} {kind}s ({which}): {advice}")
        self.guids = tuple(guids)


@dataclass(frozen=True, slots=True)
class KnownProgramType:
    """A program type's contract, and where it comes from: an extension's name, or a file's."""

    data: ProgramData
    origin: str = ""
    imported: bool = False


class KnownContracts:
    """The latest value of each contract, by GUID.

    An extension that was made anew with other GUIDs leaves contracts behind that share names and
    sections with its new ones: of several that suit, that counts which somebody provides.
    *is_provided* tells it by NPI and GUID.
    """

    def __init__(self, is_provided: Callable[[UUID, UUID], bool] | None = None) -> None:
        self._is_provided = is_provided or _is_nowhere
        self._program_types: dict[UUID, KnownProgramType] = {}
        self._attach_types: dict[UUID, AttachProviderData] = {}
        self._functions: dict[UUID, BtfFunctionsData] = {}

    def remember_program_type(
        self, data: ProgramData, origin: str = "", *, imported: bool = False
    ) -> KnownProgramType:
        """Take *data* as the latest description of its program type."""
        known = KnownProgramType(data, origin, imported)
        self._program_types[data.program_type] = known
        return known

    def forget_program_type(self, program_type: UUID) -> None:
        """Know nothing of *program_type* any more."""
        self._program_types.pop(program_type, None)

    def program_types(self) -> list[KnownProgramType]:
        """All program types, by name."""
        return sorted(self._program_types.values(), key=lambda known: known.data.name)

    def find_program_type(self, wanted: UUID | str) -> KnownProgramType:
        """The program type of that GUID or name."""
        if isinstance(wanted, UUID):
            found = [wanted] if wanted in self._program_types else []
        else:
            found = [
                guid for guid, known in self._program_types.items() if known.data.name == wanted
            ]
        if not found:
            names = [known.data.name for known in self.program_types()]
            raise UnknownProgramTypeError(str(wanted), names)
        return self._program_types[self._only(PROGRAM_INFORMATION, f'"{wanted}"', found)]

    def remember_attach_type(self, attach_type: UUID, data: AttachProviderData) -> None:
        """Take *data* as the latest description of the hook *attach_type*."""
        self._attach_types[attach_type] = data

    def forget_attach_type(self, attach_type: UUID) -> None:
        """Know nothing of *attach_type* any more."""
        self._attach_types.pop(attach_type, None)

    def remember_functions(self, module: UUID, data: BtfFunctionsData) -> None:
        """Take *data* as the latest description of the functions that *module* has."""
        self._functions[module] = data

    def functions(self, module: UUID) -> BtfFunctionsData | None:
        """The functions that *module* had last."""
        return self._functions.get(module)

    def imported(self, imports: Iterable[tuple[str, str]]) -> tuple[BtfResolvedFunction, ...]:
        """The functions that (module, name) mean, as far as they are known."""
        found: list[BtfResolvedFunction] = []
        for module, name in imports:
            data = self.functions(UUID(module))
            if data and (function := data.find(name)):
                found.append(function)
        return tuple(found)

    def program_type(self, program_type: UUID) -> ProgramData | None:
        """The latest description of *program_type*."""
        known = self._program_types.get(program_type)
        return known.data if known else None

    def attach_type(self, attach_type: UUID) -> AttachProviderData | None:
        """The latest description of the hook *attach_type*."""
        return self._attach_types.get(attach_type)

    def attach_types(self) -> list[tuple[UUID, AttachProviderData]]:
        """The latest description of every hook, by name."""
        return sorted(self._attach_types.items(), key=lambda known: (known[1].name, known[0]))

    def default_result(self, attach_type: UUID) -> int:
        """What a hook does with an event that reached nobody: its own word, or its type's."""
        hook = self.attach_type(attach_type)
        if hook is None:
            return 0
        if hook.default_result is not None:
            return hook.default_result
        known = self.program_type(hook.supported_program_type)
        return known.default_result if known else 0

    def for_section(self, section: str) -> ProgramData:
        """The program type whose prefix matches *section* longest."""
        matches = {
            guid: max(fitting)
            for guid, known in self._program_types.items()
            if (fitting := [len(p) for p in known.data.section_prefixes if section.startswith(p)])
        }
        if not matches:
            known_types = self._program_types.values()
            prefixes = {p for known in known_types for p in known.data.section_prefixes}
            raise UnknownSectionError(section, sorted(prefixes))
        longest = max(matches.values())
        found = [guid for guid, length in matches.items() if length == longest]
        only = self._only(PROGRAM_INFORMATION, f'section "{section}"', found)
        return self._program_types[only].data

    def find_attach_type(self, wanted: UUID | str) -> UUID:
        """The attach type of that GUID or name."""
        if isinstance(wanted, UUID):
            found = [wanted] if wanted in self._attach_types else []
        else:
            found = [
                guid for guid, data in self._attach_types.items() if wanted and data.name == wanted
            ]
        if not found:
            names = [data.name or str(guid) for guid, data in self._attach_types.items()]
            raise UnknownAttachTypeError(str(wanted), sorted(names))
        return self._only(HOOK, f'"{wanted}"', found)

    def name_of(self, attach_type: UUID) -> str:
        """What people call *attach_type*: its name, else its GUID."""
        data = self._attach_types.get(attach_type)
        return data.name if data and data.name else str(attach_type)

    def _only(self, npi_id: UUID, wanted: str, found: Sequence[UUID]) -> UUID:
        """The one of *found* that is provided now, or that there is."""
        if len(found) > 1:
            found = [guid for guid in found if self._is_provided(npi_id, guid)] or found
        if len(found) > 1:
            raise AmbiguousContractError(wanted, _KINDS[npi_id], found, _FORGET[npi_id])
        return found[0]


def _is_nowhere(npi_id: UUID, guid: UUID) -> bool:
    """Whether it is provided, where there are no providers."""
    del npi_id, guid
    return False
