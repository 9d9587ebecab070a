"""The public API is what ``__all__`` says, no more and no less."""

import inspect
from types import ModuleType

import ebpfd_sdk


def test_all_names_exist_once() -> None:
    """Every public name is there, once, in order."""
    assert sorted(set(ebpfd_sdk.__all__)) == sorted(ebpfd_sdk.__all__)
    for name in ebpfd_sdk.__all__:
        assert hasattr(ebpfd_sdk, name)


def test_nothing_else_is_public() -> None:
    """What has a public name is exported; everything else is a module with an underscore."""
    public = {
        name
        for name, value in vars(ebpfd_sdk).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(ebpfd_sdk.__all__) == public


def test_everything_public_is_documented() -> None:
    """Classes and functions say what they are for, and so do their methods."""
    for name in ebpfd_sdk.__all__:
        value: object = getattr(ebpfd_sdk, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name
        if inspect.isclass(value) and value.__module__.startswith("ebpfd_sdk"):
            for method, function in inspect.getmembers(value, inspect.isfunction):
                if not method.startswith("_"):
                    assert inspect.getdoc(function), f"{name}.{method}"
