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

NETS = ("198.18.101", "198.18.102")  # 198.18.0.0/15 is for tests of networks (RFC 2544)


class FarRedis(Redis):
    """The Redis; `urls` has its address on each node's link."""

    def __init__(self, program: str, folder: Path) -> None:
        super().__init__(program, folder)
        self._space = f"redis-{os.getpid()}"
        self._links = [f"rd{os.getpid()}-{number}" for number in range(len(NETS))]
        self.urls = [f"redis://{net}.2:{self.port}/0" for net in NETS]
        inside = ["ip", "netns", "exec", self._space]
        self.command = [*inside, program, "--save", "", "--dir", str(folder), "--port", str(self.port)]
        self.command += ["--bind", *(f"{net}.2" for net in NETS), "--protected-mode", "no"]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        wait_until(self.answers)

    def answers(self) -> bool:
        """Whether it listens."""
        with socket.socket() as probe:
            return probe.connect_ex((f"{NETS[0]}.2", self.port)) == 0

    def connect(self) -> None:
        """Create the namespace and the links."""
        ip("netns", "add", self._space)
        for link, net in zip(self._links, NETS, strict=True):
            ip("link", "add", link, "type", "veth", "peer", "name", link, "netns", self._space)
            ip("-n", self._space, "address", "add", f"{net}.2/24", "dev", link)
            ip("-n", self._space, "link", "set", link, "up")
            ip("address", "add", f"{net}.1/24", "dev", link)
            ip("link", "set", link, "up")

    @contextlib.contextmanager
    def cut(self, number: int) -> Iterator[None]:
        """Let one link lose every packet: nobody is told, as when a cable is pulled."""
        ip("-n", self._space, "link", "set", self._links[number], "down")
        try:
            yield
        finally:
            ip("-n", self._space, "link", "set", self._links[number], "up")

    def remove(self) -> None:
        """Remove the namespace, and with it the links."""
        subprocess.run(["ip", "netns", "delete", self._space], env=CLEAN, capture_output=True, check=False)


def ip(*arguments: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *arguments], env=CLEAN, check=True, capture_output=True)


def permitted() -> bool:
    """Whether this machine lets the tests create a network namespace."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = f"probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode != 0:
        return False
    ip("netns", "delete", probe)
    return True
