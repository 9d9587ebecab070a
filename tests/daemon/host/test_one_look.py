"""A look that does not end keeps one thread busy, however many wait for it."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from ebpfd.host.one_look import OneLook
from tests.daemon.host.world import soon


async def test_those_who_ask_while_a_look_goes_on_share_it() -> None:
    """Also with one who has given up; who asks later has a look of his own."""
    began, answers, looks = asyncio.Event(), Event(), list[int]()
    loop = asyncio.get_running_loop()

    def work() -> int:
        looks.append(0)
        loop.call_soon_threadsafe(began.set)
        answers.wait()
        return len(looks)

    look = OneLook(work)
    askers = [asyncio.create_task(look.found()) for _ in range(100)]
    await soon(began.wait())
    askers.pop().cancel()
    answers.set()
    assert await soon(asyncio.gather(*askers)) == [1] * 99
    assert await soon(look.found()) == 2


async def test_what_goes_wrong_is_told_to_all_and_the_next_look_is_another_one() -> None:
    """A folder may be there again."""
    outcomes = iter([OSError("gone"), None])

    def work() -> str:
        if error := next(outcomes):
            raise error
        return "there"

    look = OneLook(work)
    found = await asyncio.gather(look.found(), look.found(), return_exceptions=True)
    assert [str(each) for each in found] == ["gone", "gone"]
    assert await soon(look.found()) == "there"


async def test_an_error_that_nobody_waits_for_any_more_is_no_news() -> None:
    """The loop would log it when the look is forgotten."""
    began, answers, news = asyncio.Event(), Event(), list[object]()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    loop.set_exception_handler(lambda _, context: news.append(context))

    def work() -> None:
        loop.call_soon_threadsafe(began.set)
        answers.wait()
        raise OSError("gone")

    look = OneLook(work)
    asker = asyncio.create_task(look.found())
    await soon(began.wait())
    asker.cancel()
    await asyncio.wait({asker})
    answers.set()
    await loop.run_in_executor(None, int)  # on the same thread, so after the look
    del look, asker
    gc.collect()
    assert news == []
