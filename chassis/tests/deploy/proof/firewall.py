"""The firewall's commands, typed on a machine of its own that has one neighbour."""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from chassis.tests.deploy.proof.machine import Machine, machine, needs
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import blocks
from chassis.tests.patience import wait_until

HERE, THERE = "10.199.77.1", "10.199.77.2"
LISTEN = "import socket, time; all = [socket.create_server(('', p)) for p in {ports}]; time.sleep(600)"
CONNECT = "import socket; socket.create_connection(('{host}', {port}), 2)"
IN, OUT = (22, 80, 443, 5000, 5432), (443, 80, 25)


def prove(report: Report) -> None:
    """Say which connections pass, in and out, before and after."""
    needs("ufw", "iptables", "iproute2")
    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as one:
        join(one)
        listener = one.start(f'{sys.executable} -c "{LISTEN.format(ports=IN)}"')
        ours = [socket.create_server((HERE, port)) for port in OUT]
        with report.step("firewall", "without rules") as line:
            wait_until(lambda: passing(one) == (IN, OUT))
            line.see("all of 22, 80, 443, 5000, 5432 in; 443, 80, 25 out")
        with report.step("firewall", "the commands of docs/deploy.md") as line:
            _install, *commands = blocks("docs/deploy.md", "Firewall")[0].splitlines()
            assert "deny (incoming), deny (outgoing)" in one.run("\n".join(commands))
            assert passing(one) == ((22, 80, 443), (443, 80))
            line.see("22, 80, 443 in; 443, 80 out; the others time out")
        for server in ours:
            server.close()
        listener.kill()


def join(one: Machine) -> None:
    """Connect the machine with this one by a cable."""
    for command in (
        f"ip link add fw-here type veth peer name fw-there netns {one.pid}",
        f"ip address add {HERE}/24 dev fw-here",
        "ip link set fw-here up",
    ):
        subprocess.run(command.split(), check=True)
    one.run(f"ip address add {THERE}/24 dev fw-there; ip link set fw-there up")


def passing(one: Machine) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the machine's ports that are reached from here, and ours that are reached from there."""
    return (
        tuple(port for port in IN if connects(here, THERE, port)),
        tuple(port for port in OUT if connects(one.start, HERE, port)),
    )


def here(commands: str) -> subprocess.Popen:
    return subprocess.Popen(["bash", "-c", commands], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def connects(start, host: str, port: int) -> bool:
    """Whether a connection is taken within two seconds."""
    process = start(f'{sys.executable} -c "{CONNECT.format(host=host, port=port)}"')
    process.communicate(timeout=120)
    return process.returncode == 0
