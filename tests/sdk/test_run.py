"""``run`` and ``serve``: main, stop, failure."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from ebpfd_sdk import DaemonUnavailable, DeclarationError, Extension, Link, Result, run, serve
from tests.sdk.conftest import Scene
from tests.sdk.parcels import Parcel, declare


async def test_main_may_stop_the_extension(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says that it is connected; stop() in main ends it in good order."""

    async def main(extension: Extension) -> None:
        await scene.daemon.link()
        assert Result.SUCCESS is (await scene.hook.invoke()).code
        extension.stop()

    await serve(scene.extension(), main)
    assert (
        f"parcel: connected to {scene.daemon.address}, offering program type parcel, hook passing\n"
    ) == capsys.readouterr().err
    left = [each for each in scene.daemon.journal if each.startswith("deregistered")]
    assert left == ["deregistered hook", "deregistered program type"]


async def test_a_main_that_is_no_coroutine_function_is_refused(scene: Scene) -> None:
    """The extension ends, and the error says how to write it."""

    def main(_: Extension) -> Any:
        return None

    with pytest.raises(DeclarationError, match=r"write `async def main\(extension\):`"):
        await serve(scene.extension(), main)


async def test_a_signal_before_all_is_registered_is_heard(scene: Scene) -> None:
    """It leaves in good order as soon as it has come, as who stops it at once must be able to."""
    scene.daemon.attach_on_register = [b"a"]

    @scene.hook.on_attach
    def meanwhile(_: Link) -> None:
        signal.raise_signal(signal.SIGTERM)

    async with asyncio.timeout(10):
        await serve(scene.extension())
    left = [each for each in scene.daemon.journal if each.startswith("deregistered")]
    assert left == ["deregistered hook", "deregistered program type"]


async def test_the_extension_outlives_its_main(scene: Scene) -> None:
    """When main returns, the extension goes on serving until it is stopped."""
    returned = asyncio.Event()

    async def main(_: Extension) -> None:
        returned.set()

    extension = scene.extension()
    serving = asyncio.create_task(serve(extension, main))
    await returned.wait()
    await scene.daemon.link()
    assert not serving.done()
    extension.stop()
    await serving


async def test_main_is_told_to_end_after_its_answers(scene: Scene) -> None:
    """On a stop main gets the answers to what it started, then CANCELED, then its end."""
    codes: list[Result] = []
    ended = asyncio.Event()

    async def main(_: Extension) -> None:
        await scene.daemon.link()
        scene.daemon.gate.clear()
        try:
            while True:
                codes.append((await scene.hook.invoke()).code)
        finally:
            ended.set()

    extension = scene.extension()
    serving = asyncio.create_task(serve(extension, main))
    await scene.request(1)
    extension.stop()
    await scene.round_trip()
    assert codes == []
    scene.daemon.gate.set()
    await serving
    assert ended.is_set()
    assert Result.SUCCESS is codes[0]
    assert {Result.CANCELED} >= set(codes[1:])


async def test_a_failing_main_ends_the_extension(scene: Scene) -> None:
    """What main raises surfaces, after everything is deregistered."""

    async def main(_: Extension) -> None:
        raise LookupError("lost in the post")

    with pytest.raises(LookupError, match="lost in the post"):
        await serve(scene.extension(), main)
    assert scene.daemon.registered == {}


async def test_a_daemon_that_is_given_up_ends_main(scene: Scene) -> None:
    """Without reconnecting main is ended, and the error says what to do."""
    forever = asyncio.Event()

    async def main(_: Extension) -> None:
        scene.daemon.hang_up()
        await forever.wait()

    with pytest.raises(DaemonUnavailable):
        await serve(scene.extension(reconnect=False), main)


async def test_main_goes_on_when_the_daemon_comes_back(scene: Scene) -> None:
    """Main is not told of a lost daemon: it gets codes, and then answers again."""
    codes: list[Result] = []

    async def main(extension: Extension) -> None:
        await scene.daemon.link()
        codes.append((await scene.hook.invoke()).code)
        scene.daemon.hang_up()
        await scene.daemon.registrations(2)
        await scene.daemon.link()
        codes.append((await scene.hook.invoke()).code)
        extension.stop()

    await serve(scene.extension(), main)
    assert codes == [Result.SUCCESS, Result.SUCCESS]


def test_there_is_one_main() -> None:
    """Two main functions are a mistake of the caller's."""

    async def main(_: Extension) -> None:
        """Do nothing."""

    with pytest.raises(TypeError, match="one main function, not main, main"):
        run(*declare(), main, main=main)


async def _main(_: Extension) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: _main(cast("Extension", None)), r"the main function itself: _main, without \(\)"),
        (lambda: Parcel, r"not Parcel, a class: ProgramType\(GUID, Parcel\)"),
        (lambda: "parcel", "declarations and one main function, not str"),
    ],
)
def test_what_is_neither_a_declaration_nor_main_is_named(
    wrong: Callable[[], Any], message: str
) -> None:
    """Before anything is connected."""
    with pytest.raises(TypeError, match=message):
        run(*declare(), wrong())


def test_a_hook_without_its_program_type_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be another extension's, so it is a warning; with its type there is none."""
    kind, passing = declare()
    for declared in ((passing,), (passing, kind)):
        with pytest.raises(SystemExit):
            run(*declared, address=f"unix:{tmp_path / 'nobody.sock'}")
    (warning,) = caplog.messages
    assert warning.startswith("hook passing: its program type parcel is not given to run()")
