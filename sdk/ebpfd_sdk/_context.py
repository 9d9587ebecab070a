"""Contexts: what a hook tells a program about one event, declared as a class.

    class Parcel(Context):
        data_start: Data = 0          # pointers: filled in by the daemon, zeros on the wire
        data_end: DataEnd = 0
        weight: U32 = 0               # programs may read and write it
        sender: U16 = read_only()     # ... read it
        shelf: U64 = hidden()         # ... not see it

What a constructor call leaves out is zero.  The default is written out because type checkers
take a field without one for a required argument.
"""

from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
    get_origin,
    get_type_hints,
)

from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._fields import FieldMeaning, Length, Pointer, Rights, meaning
from ebpfd_sdk._layout import Layout, lay_out

C = TypeVar("C", bound="Context")

_COPY = "_copy"
"""What a context has that is a copy."""


@dataclass_transform(kw_only_default=True, eq_default=False)
class Context:
    """Base class of contexts; a subclass's annotations are its fields, in order."""

    layout: ClassVar[Layout]
    """Offsets and sizes."""

    def __init_subclass__(cls) -> None:
        """Compute the layout, so that a wrong declaration fails where it stands."""
        super().__init_subclass__()
        types = _types(cls)
        rights = {name: _rights(cls, name, type_) for name, type_ in types.items()}
        cls.layout = lay_out(cls.__name__, types, rights)
        for name, right in rights.items():
            setattr(cls, name, right.default)

    def __init__(self, **values: int | bytes) -> None:
        if not values.keys() <= self.layout.settable:
            raise self._unknown(values.keys() - self.layout.settable)
        self.__dict__.update(values)

    if not TYPE_CHECKING:  # or type checkers would take any name, and they know the fields

        def __setattr__(self, name: str, value: object) -> None:
            """Refuse what is no field, nor private to a subclass: no program would see it."""
            known = name in self.layout.settable or name[:1] == "_"
            if not known and not isinstance(getattr(type(self), name, None), property):
                raise AttributeError(str(self._unknown({name})))
            if _COPY in self.__dict__:
                message = f"{name} cannot be set: a helper has a copy, which programs do not see"
                raise AttributeError(message)
            object.__setattr__(self, name, value)

    def pack(self) -> bytes:
        """Return the bytes that a program sees."""
        return self.layout.pack(self)

    def __bytes__(self) -> bytes:
        return self.pack()

    @classmethod
    def unpack(cls, raw: bytes) -> Self:
        """Read a context back from its bytes."""
        instance = cls.__new__(cls)
        instance.__dict__.update(cls.layout.unpack(raw))
        return instance

    @classmethod
    def dtype(cls) -> dict[str, Any]:
        """Say what ``numpy.dtype`` takes, for arrays of contexts: of ``Hook.invoke_batch``."""
        return cls.layout.dtype()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Context) or other.layout is not self.layout:
            return NotImplemented
        return self.pack() == other.pack()

    __hash__ = None  # type: ignore[assignment]  # fields change

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.layout.names)
        return f"{type(self).__name__}({values})"

    def _unknown(self, names: set[str]) -> TypeError:
        name = min(names)
        if any(field.name == name for field in self.layout.fields):
            return TypeError(f"{self.layout.owner}.{name} is a pointer: pass data= to invoke()")
        return TypeError(
            f"{self.layout.owner} has no field {name!r}; it has {', '.join(self.layout.names)}"
        )


def copy_for_helper(type_: type[C], raw: bytes) -> C:
    """Read a context that says so when somebody means to change it."""
    context = type_.unpack(raw)
    context.__dict__[_COPY] = True
    return context


def _types(cls: type[Context]) -> dict[str, FieldMeaning | None]:
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise DeclarationError(f"{cls.__name__}: {error}; import it in this module") from error
    fields = {
        name: meaning(hint) for name, hint in hints.items() if get_origin(hint) is not ClassVar
    }
    for name in fields:
        if hasattr(Context, name):
            raise DeclarationError(
                f"{cls.__name__}.{name}: every context has a method of this name; choose another"
            )
    return fields


def _rights(cls: type[Context], name: str, type_: FieldMeaning | None) -> Rights:
    """Take a field's default and rights from what the class body assigns to it."""
    inherited = {field.name: field.rights for field in getattr(cls, "layout", _NONE).fields}
    given: object = vars(cls).get(name)
    default: int | bytes = b"" if isinstance(type_, Length) else 0
    if given is None:
        return inherited.get(name, Rights(default, not isinstance(type_, Pointer), offered=True))
    if isinstance(given, Rights):
        # The call knows nothing of the field's type: its plain zero means ours.
        value = default if given.default == 0 else given.default
        return Rights(value, given.writable, given.offered)
    if not isinstance(given, (int, bytes)):
        raise DeclarationError(f"{cls.__name__}.{name}: its default must be a number or bytes")
    return Rights(given, not isinstance(type_, Pointer), offered=True)


_NONE = Layout("", (), 0)
