"""A Redis on a machine of its own, a network namespace, with a link to each node that can be cut."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from chassis.tests.conftest import CLEAN
from chassis.tests.patience import wait_until
from chassis.tests.services import Redis

LINKS = 2


class FarRedis(Redis):
    """The Redis; `urls` has its address on each node's link."""

    def __init__(self, program: str, folder: Path) -> None:
        super().__init__(program, folder)
        # It keeps the namespace, which ends with its input, and so with the tests.
        self._keeper = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, env=CLEAN)
        self._inside = ["nsenter", "--net", "--target", str(self._keeper.pid)]
        first = os.getpid() % 100 * LINKS  # 198.18.0.0/15 is for tests of networks (RFC 2544)
        self._nets = {f"link{os.getpid()}-{number}": f"198.18.{first + number}" for number in range(LINKS)}
        self.urls = [f"redis://{net}.2:{self.port}/0" for net in self._nets.values()]
        options = ["--save", "", "--dir", str(folder), "--port", str(self.port), "--protected-mode", "no"]
        self.command = [*self._inside, program, *options]

    def connect(self) -> None:
        """Create the links."""
        mine = Path("/proc/self/ns/net").readlink()
        wait_until(lambda: Path(f"/proc/{self._keeper.pid}/ns/net").readlink() != mine)
        for link, net in self._nets.items():
            run("ip", "link", "add", link, "type", "veth", "peer", "name", link, "netns", str(self._keeper.pid))
            for where, address in ([], f"{net}.1/24"), (self._inside, f"{net}.2/24"):
                run(*where, "ip", "address", "add", address, "dev", link)
                run(*where, "ip", "link", "set", link, "up")

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex((f"{next(iter(self._nets.values()))}.2", self.port)) == 0

        wait_until(answers)

    @contextlib.contextmanager
    def cut(self, number: int) -> Iterator[None]:
        """Let one link lose every packet: nobody is told, as when a cable is pulled."""
        link = list(self._nets)[number]
        run(*self._inside, "ip", "link", "set", link, "down")
        try:
            yield
        finally:
            run(*self._inside, "ip", "link", "set", link, "up")

    def remove(self) -> None:
        """Remove the namespace, and with it the links."""
        self._keeper.kill()
        self._keeper.wait()


def run(*command: str) -> None:
    """Run a command."""
    subprocess.run(command, env=CLEAN, check=True, capture_output=True)


def permitted() -> bool:
    """Whether this machine lets the tests create a network namespace with links."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], env=CLEAN, capture_output=True, check=False).returncode == 0
