"""What an extension makes of the daemon's answers about links that it could run itself."""

import asyncio
import json
import socket
from pathlib import Path

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk._local import LocalPrograms


async def test_without_a_socket_nothing_is_asked() -> None:
    """A daemon without --local says so by its welcome."""
    refusal = await LocalPrograms("", "session").take(1, SampleContext, {})
    assert "without --local" in str(refusal)


async def test_a_daemon_that_is_not_there_leaves_links_remote(tmp_path: Path) -> None:
    """That is no reason to refuse a link."""
    path = str(tmp_path / "nobody")
    assert path in str(await LocalPrograms(path, "session").take(1, SampleContext, {}))


async def test_an_answer_that_is_none_ends_the_connection(tmp_path: Path) -> None:
    """What comes after it is not taken for the answer to another request."""
    path, loop = str(tmp_path / "socket"), asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        listener.setblocking(False)
        programs = LocalPrograms(path, "session")

        async def answer(*messages: str) -> socket.socket:
            connection, _ = await loop.sock_accept(listener)
            await loop.sock_recv(connection, 4096)
            for message in messages:
                await loop.sock_sendall(connection, message.encode())
            return connection

        late, answers = json.dumps({"refusal": "late"}), json.dumps({"refusal": "why"})
        first, refusal = await asyncio.gather(
            answer("no JSON", late), programs.take(1, SampleContext, {})
        )
        assert "late" not in str(refusal)
        second, refusal = await asyncio.gather(answer(answers), programs.take(2, SampleContext, {}))
        assert refusal == "why"
        programs.close()
        first.close()
        second.close()
