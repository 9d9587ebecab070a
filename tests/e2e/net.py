"""A daemon that listens over TLS, in a process of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ebpfd_sdk import Certificates
from tests.certificates import Authority, Issued
from tests.e2e.world import Ran, World, command, world


@dataclass(frozen=True, slots=True)
class Net:
    """A daemon that listens over TLS, and who is who."""

    world: World
    address: str
    ca: Authority
    daemon: Issued
    client: Issued

    @property
    def certificates(self) -> Certificates:
        """Those of a client that the daemon lets in."""
        return self.client.known_by(self.ca.path)

    async def ctl(self, *arguments: str, **files: str) -> Ran:
        """Run ``ebpfctl`` over TLS, with other *files* than the client's, or the same."""
        return await command("ebpfctl", *arguments, **(self.environment() | files))

    def environment(self) -> dict[str, str]:
        """By which all commands and extensions find the daemon."""
        return {
            "EBPFD_ADDRESS": self.address,
            "EBPFD_CERT": str(self.client.cert),
            "EBPFD_KEY": str(self.client.key),
            "EBPFD_CA": str(self.ca.path),
        }


@asynccontextmanager
async def net(folder: Path, *options: str) -> AsyncGenerator[Net]:
    """A daemon on a free port, with whatever else ``ebpfd run`` takes."""
    ca = Authority(folder)
    daemon, client = ca.issue("daemon", "localhost"), ca.issue("client", "ops.example", "other")
    listen = ("--listen", "tls:localhost:0", *daemon.serving(ca.path))
    async with world(folder, *listen, *options) as w:
        (serving,) = [line for line in w.log() if line["event"] == "serving"]
        yield Net(w, serving["listen"][1], ca, daemon, client)
