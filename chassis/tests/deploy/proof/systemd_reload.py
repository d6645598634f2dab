"""Reloads while 100 requests a second and 200 open sockets are there: nothing fails."""

import contextlib
import json
import subprocess
import sys
import time

from chassis.tests.deploy.proof.debian import ROOT
from chassis.tests.deploy.proof.unit import UNIT, main_pid


def prove_part(report, machine) -> None:
    """Reload the same release, then upgrade to one that differs in a page, under the same load."""
    for step, script in (
        ("reload under load", f"systemctl reload {UNIT}"),
        ("upgrade of a page under load", "cd /root/app && git checkout -q v0.2.0 && deploy/systemd/install.sh"),
    ):
        with report.step("systemd", step) as line, visitors(machine) as seen:
            master = main_pid(machine)
            said = machine.run(script)
            machine.wait(lambda: left(machine) >= 1, 30)
            time.sleep(3)
            seen.leave()
            assert main_pid(machine) == master
            assert not seen.told["failed"], seen.told["failed"]
            assert not seen.told["socket_failures"], seen.told
            assert seen.told["came_back"] == 200, seen.told
            line.see(f"{seen.told['requests']} requests, none failed, slowest {seen.told['slowest']:.2f} s")
            line.see(f"200 of 200 sockets back within {seen.told['back_after']:.1f} s")
            assert "by restart" not in said
            line.see("same master")
    assert "<title>Second " in machine.request("/")[1]
    assert '"0.2.0"' in machine.request("/healthz")[1]


def left(machine) -> int:
    """Return how many workers have sent their sockets away."""
    return machine.run(f"journalctl -u {UNIT} -o cat --since=-30s", check=False).count("Sent 200 clients away")


class Visitors:
    """The process that plays them."""

    def __init__(self, machine) -> None:
        command = [
            *machine.in_network(),
            sys.executable,
            "-m",
            "chassis.tests.deploy.proof.visitors",
            "5000",
            machine.key,
        ]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=ROOT, **pipes, text=True)
        assert self.process.stdout.readline() == "here\n"
        time.sleep(2)
        self.told: dict = {}

    def leave(self) -> None:
        """Let them go, and read what they saw."""
        told, _ = self.process.communicate(timeout=90)
        self.told = json.loads(told)


@contextlib.contextmanager
def visitors(machine):
    """Let visitors come, and go in the end."""
    seen = Visitors(machine)
    try:
        yield seen
    finally:
        seen.process.kill()
        seen.process.wait()
