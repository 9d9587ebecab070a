"""Custom maps: which function is called when, and what is undone when something fails."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.objects import MapShape
from ebpfd.objects.custom_maps import (
    Elements,
    ProviderCall,
    ProviderReturn,
    Steps,
    associate,
    create,
    restore,
)
from ebpfd_api.custom_map import MapFunction, MapOperation
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map

_Value = TypeVar("_Value")
F = MapFunction

SHAPE = MapShape(type=16, key_size=1, value_size=1, max_entries=2)
STORED = 5
ALWAYS = frozenset(
    {F.PREPROCESS_MAP_CREATE, F.POSTPROCESS_MAP_DELETE, F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE}
)
TRANSLATE = frozenset({F.POSTPROCESS_MAP_FIND_ELEMENT, F.PREPROCESS_MAP_UPDATE_ELEMENT})
BEFORE, AFTER = F.PREPROCESS_MAP_DELETE_ELEMENT, F.POSTPROCESS_MAP_DELETE_ELEMENT
KEYS = st.sampled_from([b"a", b"b", b"c"])


def provider_data(*functions: MapFunction, translates: bool = False) -> MapProviderData:
    """A provider with these functions beside those that it must have."""
    return MapProviderData(
        map_type=16, functions=ALWAYS | {*functions}, updates_original_value=translates
    )


def translating(deletion: MapFunction = AFTER) -> MapProviderData:
    """A provider that stores values otherwise than they are seen."""
    return provider_data(*TRANSLATE, deletion, translates=True)


@dataclass
class Base:
    """A base map that fails when it is told to."""

    entries_: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    failing: bool = False

    @property
    def count(self) -> int:
        """Entries."""
        return len(self.entries_)

    def lookup(self, key: bytes, /) -> bytes:
        """As a HASH."""
        if key not in self.entries_:
            raise EngineError(Result.OBJECT_NOT_FOUND, "no such key")
        return self.entries_[key]

    def update(self, key: bytes, value: bytes, flags: int = 0, /) -> None:
        """As a HASH."""
        if flags > 2:
            raise EngineError(Result.INVALID_ARGUMENT, "flags")
        if flags == 1 and key in self.entries_:
            raise EngineError(Result.OBJECT_ALREADY_EXISTS, "there is one")
        if flags == 2 and key not in self.entries_:
            raise EngineError(Result.KEY_NOT_FOUND, "there is none")
        if self.failing:
            raise EngineError(Result.NO_MEMORY, "no memory")
        self.entries_[key] = value

    def delete(self, key: bytes, /) -> None:
        """As a HASH."""
        if key not in self.entries_:
            raise EngineError(Result.KEY_NOT_FOUND, "no such key")
        del self.entries_[key]

    def entries(self, after: bytes | None, limit: int, /) -> list[tuple[bytes, bytes]]:
        """By key."""
        later = sorted(key for key in self.entries_ if after is None or key > after)
        return [(key, self.entries_[key]) for key in later[:limit]]


class Provider:
    """A provider that owns something for each value that it has made, and may refuse."""

    def __init__(self) -> None:
        self.calls: list[ProviderCall] = []
        self.refusals: dict[MapFunction, int] = {}
        self.stored_size = STORED
        self.owned: set[bytes] = set()
        self.maps = 0
        self._made = 0

    def answer(self, call: ProviderCall) -> ProviderReturn:
        """What it says; it does nothing that it refuses, unless it must not."""
        self.calls.append(call)
        refusal = self.refusals.get(call.function, Result.SUCCESS)
        must = call.flags & (MapOperation.UPDATE | MapOperation.MAP_CLEANUP)
        if refusal and not must and call.function is not F.POSTPROCESS_MAP_DELETE_ELEMENT:
            return ProviderReturn(refusal, "no")
        match call.function:
            case F.PREPROCESS_MAP_CREATE:
                self.maps += 1
                return ProviderReturn(actual_value_size=self.stored_size, map_context=b"m")
            case F.POSTPROCESS_MAP_DELETE:
                self.maps -= 1
            case F.POSTPROCESS_MAP_FIND_ELEMENT if call.out_value_size:
                return ProviderReturn(out_value=call.value[:1])
            case F.PREPROCESS_MAP_UPDATE_ELEMENT if call.out_value_size:
                self._made += 1
                stored = call.value + self._made.to_bytes(4, "big")
                self.owned.add(stored)
                return ProviderReturn(out_value=stored)
            case F.PREPROCESS_MAP_DELETE_ELEMENT | F.POSTPROCESS_MAP_DELETE_ELEMENT:
                self.owned.remove(call.value)  # exactly once
            case _:
                pass
        return ProviderReturn(refusal)

    def do(self, steps: Steps[_Value]) -> _Value:
        """Run steps to their end."""
        try:
            call = next(steps)
            while True:
                call = steps.send(self.answer(call))
        except StopIteration as end:
            value: _Value = end.value
            return value

    def functions(self) -> list[tuple[MapFunction, int]]:
        """What was called since last asked, with flags."""
        called = [(each.function, int(each.flags)) for each in self.calls]
        self.calls.clear()
        return called


def refused(provider: Provider, steps: Steps[object], code: Result) -> str:
    """The message of the error with *code* that *steps* must end in."""
    with pytest.raises((RequestError, EngineError)) as caught:
        provider.do(steps)
    error = caught.value
    assert isinstance(error, RequestError | EngineError)
    assert error.code == code
    return error.message


def elements(data: MapProviderData, base: Base) -> Elements:
    """The elements of a map of *data*'s type."""
    return Elements(data, SHAPE, base, STORED if data.updates_original_value else 1)


def test_creation_announces_the_map_and_makes_its_base() -> None:
    """preprocess_map_create, then the base map for values as they are stored."""
    provider = Provider()
    assert provider.do(create(translating(), SHAPE, lambda size: Base({b"size": bytes([size])})))
    assert provider.functions() == [(F.PREPROCESS_MAP_CREATE, 0)]
    assert provider.maps == 1


@pytest.mark.parametrize("code", [each for each in Result if each])
def test_whatever_the_provider_refuses_creation_with_it_failed_to_load(code: Result) -> None:
    """EXTENSION_FAILED_TO_LOAD, and nothing is undone."""
    provider = Provider()
    provider.refusals[F.PREPROCESS_MAP_CREATE] = code
    creating = create(translating(), SHAPE, lambda _: Base())
    assert refused(provider, creating, Result.EXTENSION_FAILED_TO_LOAD) == "no"
    assert provider.functions() == [(F.PREPROCESS_MAP_CREATE, 0)]


@pytest.mark.parametrize(
    ("data", "size", "code"),
    [
        (translating(), 0, Result.INVALID_ARGUMENT),
        (provider_data(), 2, Result.INVALID_ARGUMENT),
        (translating(), 4, Result.NO_MEMORY),
    ],
    ids=["nothing stored", "another size without updating", "no memory for the base"],
)
def test_what_fails_after_the_announcement_takes_it_back(
    data: MapProviderData, size: int, code: Result
) -> None:
    """postprocess_map_delete."""
    provider = Provider()
    provider.stored_size = size

    def base(_: int) -> Base:
        raise EngineError(Result.NO_MEMORY, "no memory")

    refused(provider, create(data, SHAPE, base), code)
    assert provider.functions() == [(F.PREPROCESS_MAP_CREATE, 0), (F.POSTPROCESS_MAP_DELETE, 0)]
    assert provider.maps == 0


@pytest.mark.parametrize("code", [each for each in Result if each])
def test_a_program_type_is_refused_with_the_providers_own_code(code: Result) -> None:
    """preprocess_associate_program_type."""
    provider = Provider()
    provider.refusals[F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE] = code
    refused(provider, associate(bytes(16)), code)


def test_an_unknown_code_is_a_failure() -> None:
    """FAILED."""
    provider = Provider()
    provider.refusals[F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE] = 9999
    refused(provider, associate(bytes(16)), Result.FAILED)


def test_restoring_announces_the_map_and_its_program_types_anew() -> None:
    """Marked as restored."""
    provider = Provider()
    provider.do(restore(STORED, (b"a" * 16, b"b" * 16)))
    assert [each.restored for each in provider.calls] == [True, False, False]
    assert [each.program_type for each in provider.calls[1:]] == [b"a" * 16, b"b" * 16]


@pytest.mark.parametrize("reason", ["size", "program type"])
def test_restoring_that_fails_takes_the_announcement_back(reason: str) -> None:
    """EXTENSION_FAILED_TO_LOAD or the provider's code."""
    provider = Provider()
    code = Result.EXTENSION_FAILED_TO_LOAD
    if reason == "size":
        provider.stored_size = STORED + 1
    else:
        code = provider.refusals[F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE] = Result.ACCESS_DENIED
    refused(provider, restore(STORED, (bytes(16),)), code)
    assert provider.functions()[-1] == (F.POSTPROCESS_MAP_DELETE, 0)
    assert provider.maps == 0


@pytest.mark.parametrize("deletion", [BEFORE, AFTER])
def test_a_replaced_value_is_deleted_once(deletion: MapFunction) -> None:
    """With UPDATE, after the new one is stored."""
    provider, base = Provider(), Base()
    custom = elements(translating(deletion), base)
    provider.do(custom.update(b"a", b"1", 0))
    assert provider.functions() == [(F.PREPROCESS_MAP_UPDATE_ELEMENT, 0)]
    provider.do(custom.update(b"a", b"2", 0))
    assert provider.functions() == [
        (F.PREPROCESS_MAP_UPDATE_ELEMENT, 0),
        (deletion, MapOperation.UPDATE),
    ]
    assert provider.do(custom.find(b"a")) == b"2"
    assert provider.functions() == [(F.POSTPROCESS_MAP_FIND_ELEMENT, 0)]


@pytest.mark.parametrize("deletion", [BEFORE, AFTER])
@pytest.mark.parametrize(
    ("key", "option", "code"),
    [
        (b"a", 1, Result.OBJECT_ALREADY_EXISTS),
        (b"c", 2, Result.KEY_NOT_FOUND),
        (b"c", 0, Result.OUT_OF_SPACE),
        (b"c", 1, Result.OUT_OF_SPACE),
        (b"a", 3, Result.INVALID_ARGUMENT),
        (b"c", 3, Result.INVALID_ARGUMENT),
    ],
)
def test_what_the_base_map_refuses_is_undone(
    deletion: MapFunction, key: bytes, option: int, code: Result
) -> None:
    """By the function of deletion with UPDATE, for the value that was not stored."""
    provider, base = Provider(), Base()
    custom = elements(translating(deletion), base)
    for present in (b"a", b"b"):
        provider.do(custom.update(present, b"1", 0))
    before = dict(base.entries_)
    provider.functions()
    refused(provider, custom.update(key, b"2", option), code)
    assert provider.functions() == [
        (F.PREPROCESS_MAP_UPDATE_ELEMENT, 0),
        (deletion, MapOperation.UPDATE),
    ]
    assert base.entries_ == before
    assert provider.owned == set(before.values())


def test_a_full_map_still_replaces() -> None:
    """max_entries is of keys."""
    provider, base = Provider(), Base()
    custom = elements(provider_data(), base)
    for key in (b"a", b"b", b"a"):
        provider.do(custom.update(key, b"1", 0))
    refused(provider, custom.update(b"c", b"1", 0), Result.OUT_OF_SPACE)


@pytest.mark.parametrize("code", [each for each in Result if each])
@pytest.mark.parametrize("function", sorted(TRANSLATE | {BEFORE}))
def test_the_providers_own_code_reaches_the_user(function: MapFunction, code: Result) -> None:
    """Of a find, an update or a delete; nothing has changed."""
    provider, base = Provider(), Base()
    custom = elements(translating(BEFORE), base)
    provider.do(custom.update(b"a", b"1", 0))
    before = dict(base.entries_)
    provider.refusals[function] = code
    operations: dict[MapFunction, Steps[object]] = {
        F.POSTPROCESS_MAP_FIND_ELEMENT: custom.find(b"a"),
        F.PREPROCESS_MAP_UPDATE_ELEMENT: custom.update(b"a", b"2", 0),
        BEFORE: custom.delete(b"a"),
    }
    assert refused(provider, operations[function], code) == "no"
    assert base.entries_ == before
    assert provider.owned == set(before.values())


def test_a_plain_delete_asks_before_or_tells_after() -> None:
    """Never both, and no flag."""
    for deletion in (BEFORE, AFTER):
        provider, base = Provider(), Base()
        custom = elements(translating(deletion), base)
        provider.do(custom.update(b"a", b"1", 0))
        provider.functions()
        provider.do(custom.delete(b"a"))
        assert provider.functions() == [(deletion, 0)]
        refused(provider, custom.delete(b"a"), Result.KEY_NOT_FOUND)
        assert provider.functions() == []


def test_what_has_the_wrong_size_never_reaches_the_provider() -> None:
    """INVALID_ARGUMENT."""
    provider = Provider()
    custom = elements(translating(), Base())
    for steps in (
        custom.find(b"ab"),
        custom.delete(b""),
        custom.update(b"ab", b"1", 0),
        custom.update(b"a", b"", 0),
    ):
        refused(provider, steps, Result.INVALID_ARGUMENT)
    assert provider.functions() == []


def test_a_miss_never_reaches_the_provider() -> None:
    """OBJECT_NOT_FOUND, as a lookup in a HASH."""
    provider = Provider()
    refused(provider, elements(translating(), Base()).find(b"a"), Result.OBJECT_NOT_FOUND)
    assert provider.functions() == []


def test_an_out_value_of_the_wrong_size_is_the_providers_failure() -> None:
    """FAILED, and nothing is stored."""
    base = Base()
    steps = elements(translating(), base).update(b"a", b"1", 0)
    next(steps)
    with pytest.raises(RequestError, match="2 bytes instead of 5") as caught:
        steps.send(ProviderReturn(out_value=b"12"))
    assert caught.value.code == Result.FAILED
    assert base.entries_ == {}


def test_without_updating_the_original_value_there_are_no_out_values() -> None:
    """The value goes in as it is, and comes out so."""
    provider, base = Provider(), Base()
    custom = elements(provider_data(*TRANSLATE), base)
    provider.do(custom.update(b"a", b"1", 0))
    assert provider.do(custom.find(b"a")) == b"1"
    assert [each.out_value_size for each in provider.calls] == [0, 0]


@pytest.mark.parametrize("deletion", [BEFORE, AFTER])
def test_an_update_that_was_given_up_is_taken_back_when_it_succeeds(deletion: MapFunction) -> None:
    """By the function of deletion, with UPDATE."""
    provider = Provider()
    custom = elements(translating(deletion), Base())
    call = next(custom.update(b"a", b"1", 0))
    returned = provider.answer(call)
    undo = custom.late(call, returned)
    assert undo is not None
    provider.answer(undo)
    assert (undo.function, undo.flags) == (deletion, MapOperation.UPDATE)
    assert provider.owned == set()


def test_a_deletion_that_was_given_up_is_done_when_it_is_agreed_to() -> None:
    """Unless the value is another one by then."""
    for now, left in ((b"old", {}), (b"new", {b"a": b"new"})):
        base = Base({b"a": now})
        call = ProviderCall(BEFORE, b"a", b"old")
        assert elements(translating(BEFORE), base).late(call, ProviderReturn()) is None
        assert base.entries_ == left


def test_the_real_base_map_is_one() -> None:
    """The engine's HASH fits."""
    provider = Provider()
    base = Map(1, 1, STORED, 2)
    custom = Elements(translating(), SHAPE, base, STORED)
    provider.do(custom.update(b"a", b"1", 0))
    provider.do(custom.update(b"b", b"2", 1))
    refused(provider, custom.update(b"c", b"3", 0), Result.OUT_OF_SPACE)
    refused(provider, custom.update(b"a", b"3", 7), Result.INVALID_ARGUMENT)
    assert [each.key for each in custom.clean_up()] == [key for key, _ in base.entries(None, 9)]
    assert provider.do(custom.find(b"b")) == b"2"


class Ownership(RuleBasedStateMachine):
    """Whatever fails at whatever step, the provider owns what is stored and nothing else."""

    @initialize(deletion=st.sampled_from([BEFORE, AFTER]))
    def begin(self, deletion: MapFunction) -> None:
        """A map of a type that owns something for every value."""
        self.provider, self.base = Provider(), Base()
        self.custom = elements(translating(deletion), self.base)

    @rule(
        refusals=st.dictionaries(
            st.sampled_from(sorted(TRANSLATE | {BEFORE, AFTER})), st.sampled_from([6, 12, 20])
        ),
        failing=st.booleans(),
    )
    def trouble(self, refusals: dict[MapFunction, int], failing: bool) -> None:
        """From now on these fail."""
        self.provider.refusals, self.base.failing = refusals, failing

    @rule(key=KEYS, value=st.sampled_from([b"1", b"2"]), option=st.integers(0, 3))
    def update(self, key: bytes, value: bytes, option: int) -> None:
        """It is stored whole, or nothing has changed."""
        before = dict(self.base.entries_)
        try:
            self.provider.do(self.custom.update(key, value, option))
        except (RequestError, EngineError):
            assert self.base.entries_ == before
        else:
            assert self.base.entries_[key][:1] == value

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        """It is gone, or nothing has changed."""
        before = dict(self.base.entries_)
        try:
            self.provider.do(self.custom.delete(key))
        except (RequestError, EngineError):
            assert self.base.entries_ == before
        else:
            assert key not in self.base.entries_

    @rule(key=KEYS)
    def find(self, key: bytes) -> None:
        """Users see what they wrote."""
        try:
            seen = self.provider.do(self.custom.find(key))
        except (RequestError, EngineError):
            return
        assert seen == self.base.entries_[key][:1]

    @rule()
    def destroy(self) -> None:
        """The map goes, and another comes in its place."""
        for call in self.custom.clean_up():
            assert call.flags == MapOperation.MAP_CLEANUP
            self.provider.answer(call)
        assert self.provider.owned == set()
        self.base.entries_.clear()

    @invariant()
    def owned_is_stored(self) -> None:
        """Neither too much nor too little."""
        if hasattr(self, "base"):
            assert self.provider.owned == set(self.base.entries_.values())
            assert self.base.count <= SHAPE.max_entries


TestOwnership = Ownership.TestCase
TestOwnership.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


@given(order=st.permutations(range(6)), deletion=st.sampled_from([BEFORE, AFTER]))
@settings(max_examples=60, deadline=None)
def test_operations_of_other_keys_may_be_interleaved(
    order: list[int], deletion: MapFunction
) -> None:
    """Whoever is answered first: what is stored is owned."""
    provider, base = Provider(), Base({b"a": b"0old!"})
    provider.owned = {b"0old!"}
    custom = elements(translating(deletion), base)
    running: list[Iterator[None]] = [
        stepwise(provider, steps)
        for steps in (
            custom.update(b"a", b"1", 0),
            custom.update(b"b", b"1", 0),
            custom.update(b"c", b"1", 0),
        )
    ]
    for turn in order + [0, 1, 2] * 4:
        next(running[turn % 3], None)
    assert provider.owned == set(base.entries_.values())
    assert base.count == 2


def stepwise(provider: Provider, steps: Steps[None]) -> Iterator[None]:
    """Run steps, one answer a turn."""
    try:
        call = next(steps)
        while True:
            yield
            call = steps.send(provider.answer(call))
    except (StopIteration, RequestError, EngineError):
        return
