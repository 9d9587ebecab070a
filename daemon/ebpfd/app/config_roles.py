"""Roles in the configuration file: ``[roles.NAME]``, who holds it, and what it allows.

Everything is turned into subjects and patterns of labels, which is all that ``ebpfd.access`` knows.
"""

import grp
import pwd
import re
from types import MappingProxyType
from typing import Final
from uuid import UUID

from ebpfd.access import BUILT_IN, EVERYBODY, EVERYTHING, OWN, Action, Role, Roles, guid_label
from ebpfd.app.config_table import Table
from ebpfd.errors import RequestError
from ebpfd.objects.pin_paths import canonical
from ebpfd_api.npi import NAMES

NPIS: Final = {name.lower().replace(" ", "-"): npi for npi, name in NAMES.items()}
"""The well-known NPIs by what they are called here."""

_WHO: Final = re.compile(r"(?:uid|gid):(?:0|[1-9][0-9]{0,9})|cert:.+|owner|\*")
_MAX_ID: Final = 2**32 - 2
_LIKE_GUID: Final = re.compile(r"\{?[0-9A-Fa-f]+(?:-[0-9A-Fa-f]+){2,}\}?|[0-9A-Fa-f]{24,}")
_HOLDER: Final = re.compile(r"uid:(?:0|[1-9][0-9]{0,9})|cert:.+")

_ACTIONS: Final = tuple(action.value for action in Action)
_KEYS: Final = ("who", *_ACTIONS)


def read_roles(file: Table) -> Roles | None:
    """The roles of a file; None: it says nothing of roles.  ``SettingsError`` names the key."""
    tables = file.named_tables("roles", _KEYS)
    if tables is None:
        return None
    if not tables:
        raise file.wrong("roles", "there are none, so nobody could do anything: add [roles.admin]")
    return Roles([_role(file, name, table) for name, table in tables.items()])


def _role(file: Table, name: str, table: Table) -> Role:
    file.check_name("roles", name)
    who = frozenset(_subject(table, said) for said in table.texts("who"))
    if not who:
        raise table.wrong("who", "nobody holds this role: say who does")
    if built_in := BUILT_IN.get(name):
        for key in _ACTIONS:
            if table.says(key):
                why = f"what {name} allows is fixed: give the role another name"
                raise table.wrong(key, why)
        return Role(name, who, built_in.may)
    may = {action: allowed for action in Action if (allowed := _allowed(table, action))}
    if not may:
        raise table.wrong("who", f"the role allows nothing: give it one of {', '.join(_ACTIONS)}")
    return Role(name, who, MappingProxyType(may))


def _subject(table: Table, said: str) -> str:
    kind, _, name = said.partition(":")
    try:
        if kind == "user":
            return f"uid:{pwd.getpwnam(name).pw_uid}"
        if kind == "group":
            return f"gid:{grp.getgrnam(name).gr_gid}"
    except (KeyError, ValueError):
        raise table.wrong("who", f"{said!r}: this host knows none of that name") from None
    if not _WHO.fullmatch(said):
        known = f'user:NAME, group:NAME, uid:NUMBER, gid:NUMBER, cert:NAME, owner and "{EVERYBODY}"'
        raise table.wrong("who", f"{said!r} is none of {known}")
    _check_number(table, "who", said)
    return said


def _check_number(table: Table, key: str, said: str) -> None:
    kind, _, number = said.partition(":")
    if kind in ("uid", "gid") and int(number) > _MAX_ID:
        raise table.wrong(key, f"{said!r}: numbers end at {_MAX_ID}")


def _allowed(table: Table, action: Action) -> tuple[str, ...]:
    key = action.value
    if not action.about_things:
        return (EVERYTHING,) if table.flag(key) else ()
    reading = {Action.READ: _map, Action.WRITE: _map, Action.REGISTER: _module}
    read = reading.get(action, _contract)
    return tuple(
        each if each == EVERYTHING else read(table, key, each) for each in table.texts(key)
    )


def _contract(table: Table, key: str, said: str) -> str:
    """A program type or a hook: a GUID, or what it calls itself."""
    return _guid(table, key, said) or _named(table, key, said)


def _module(table: Table, key: str, said: str) -> str:
    """What is registered: the GUID of an NPI or of a module, or a well-known NPI's name."""
    if guid := _guid(table, key, said):
        return guid
    if said in NPIS:
        return guid_label(NPIS[said])
    raise table.wrong(key, f"{said!r} is no GUID, and none of {', '.join(NPIS)}")


def _map(table: Table, key: str, said: str) -> str:
    """Maps: by name, by pin path, by who holds them."""
    if said == OWN:
        return OWN
    if _HOLDER.fullmatch(said):
        _check_number(table, key, said)
        return f"of:{said}"
    if said.startswith(("/", "\\", "BPF:")):
        try:
            return f"path:{canonical(said)}"
        except RequestError as error:
            raise table.wrong(key, error.message) from None
    return _named(table, key, said)


def _guid(table: Table, key: str, said: str) -> str | None:
    try:
        return guid_label(UUID(said))
    except ValueError:
        if _LIKE_GUID.fullmatch(said):
            raise table.wrong(key, f"{said!r} is no GUID: it has 32 digits") from None
    return None


def _named(table: Table, key: str, said: str) -> str:
    if not said or ":" in said:
        raise table.wrong(key, f"{said!r} is no name")
    return f"name:{said}"
