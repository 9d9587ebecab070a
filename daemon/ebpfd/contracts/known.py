"""What has been registered so far, remembered when its provider has gone.

So a program can be verified, and an error can name what exists, while an extension is away.
"""

from uuid import UUID

from ebpfd.contracts.values import AttachProviderData, ProgramData


class UnknownSectionError(LookupError):
    """No known program type claims a section; ``prefixes`` are those that are claimed."""

    def __init__(self, section: str, prefixes: list[str]) -> None:
        known = ", ".join(prefixes) or "none: no extension has registered yet"
        super().__init__(
            f'section "{section}" belongs to no known program type (known prefixes: {known})'
        )
        self.prefixes = prefixes


class UnknownAttachTypeError(LookupError):
    """Nobody ever registered this attach type; ``names`` are those that were."""

    def __init__(self, wanted: str, names: list[str]) -> None:
        known = ", ".join(names) or "none: no extension has registered yet"
        super().__init__(f'unknown attach type "{wanted}" (known: {known})')
        self.names = names


class KnownContracts:
    """The latest value of each contract, by GUID."""

    def __init__(self) -> None:
        self._program_types: dict[UUID, ProgramData] = {}
        self._attach_types: dict[UUID, AttachProviderData] = {}

    def remember_program_type(self, data: ProgramData) -> None:
        """Take *data* as the latest description of its program type."""
        self._program_types[data.program_type] = data

    def remember_attach_type(self, attach_type: UUID, data: AttachProviderData) -> None:
        """Take *data* as the latest description of the hook *attach_type*."""
        self._attach_types[attach_type] = data

    def program_type(self, program_type: UUID) -> ProgramData | None:
        """The latest description of *program_type*."""
        return self._program_types.get(program_type)

    def attach_type(self, attach_type: UUID) -> AttachProviderData | None:
        """The latest description of the hook *attach_type*."""
        return self._attach_types.get(attach_type)

    def for_section(self, section: str) -> ProgramData:
        """The program type whose prefix matches *section* longest."""
        matches = [
            (len(prefix), data)
            for data in self._program_types.values()
            for prefix in data.section_prefixes
            if section.startswith(prefix)
        ]
        if not matches:
            prefixes = {p for data in self._program_types.values() for p in data.section_prefixes}
            raise UnknownSectionError(section, sorted(prefixes))
        return max(matches, key=lambda match: match[0])[1]

    def find_attach_type(self, wanted: UUID | str) -> UUID:
        """The attach type of that GUID or name."""
        for attach_type, data in self._attach_types.items():
            if wanted == attach_type or (wanted and wanted == data.name):
                return attach_type
        names = [data.name or str(guid) for guid, data in self._attach_types.items()]
        raise UnknownAttachTypeError(str(wanted), sorted(names))

    def name_of(self, attach_type: UUID) -> str:
        """What people call *attach_type*: its name, else its GUID."""
        data = self._attach_types.get(attach_type)
        return data.name if data and data.name else str(attach_type)
