"""instances.sh from release to release, below a folder, with stand-ins for systemd and for the service."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis.tests.deploy.instances import NODES, Machine
from chassis.tests.deploy.ours import needs
from chassis.tests.named import SLUG

pytestmark = [needs("deploy/systemd/instances.sh"), needs(NODES)]


class Ready(BaseHTTPRequestHandler):
    """Answers /readyz."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


class Two(Machine):
    """Two ports that answer; a release named `broken` does not start."""

    def __init__(self, folder):
        self.told = folder / "systemctl.log"
        self.servers = [ThreadingHTTPServer(("127.0.0.1", 0), Ready) for _ in range(2)]
        ports = [str(server.server_address[1]) for server in self.servers]
        nodes = folder / "nodes.conf"
        lines = "".join(f"    server 127.0.0.1:{port} max_fails=1;\n" for port in ports)
        nodes.write_text(f"upstream {SLUG} {{\n{lines}}}\n")
        super().__init__(folder, ports, nodes, "true")
        # What systemd is asked to do, with the nodes that nginx leaves out at that moment.
        down = f"$(sed -n 's/.*:\\([0-9]*\\) down .*/ without \\1/p' {nodes})"
        self.write(
            "bin/systemctl",
            f'#!/bin/sh\necho "$*{down}" >>{self.told}\n[ "$1" = restart ] || exit 0\n'
            f'[ "$(basename "$(readlink {folder}/opt/{SLUG}/instances/"${{2#*@}}")")" != broken ]\n',
        )

    def update(self, name):
        """Build a release, as far as the script can see, and switch both ports to it."""
        release = self.release(name)
        (release / ".venv/bin").mkdir(parents=True)
        (release / ".venv/bin/python").symlink_to(sys.executable)
        (release / "deploy/systemd").mkdir(parents=True)
        for kind in ("service", "timer"):
            (release / f"deploy/systemd/one.{kind}").touch()
        self.told.write_text("")
        return self.switch(name)

    def asked(self, verb):
        return [line for line in self.told.read_text().splitlines() if line.startswith(verb)]


@pytest.fixture
def machine(tmp_path):
    made = Two(tmp_path)
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in made.servers]
    for thread in threads:
        thread.start()
    yield made
    for server in made.servers:
        server.shutdown()
        server.server_close()


def test_one_instance_after_the_other_is_replaced_while_nginx_leaves_it_out(machine):
    before = machine.nodes.read_text()
    for name in ("release-1", "release-2"):
        done = machine.update(name)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [machine.release_of(port) for port in machine.ports] == [name, name]
        assert machine.asked("restart") == [f"restart {SLUG}@{port} without {port}" for port in machine.ports]
        assert machine.nodes.read_text() == before
    order = [line.split()[0] for line in machine.told.read_text().splitlines()]
    assert order.index("start") < order.index("restart"), "the migration comes first"


def test_an_instance_that_does_not_start_gets_its_release_back_and_the_next_is_left_alone(machine):
    before = machine.nodes.read_text()
    assert machine.update("release-1").returncode == 0
    done = machine.update("broken")
    first, second = machine.ports
    assert done.returncode == 1
    assert f"{first} is not ready with" in done.stderr
    assert [machine.release_of(port) for port in machine.ports] == ["release-1", "release-1"]
    assert not [line for line in machine.asked("restart") if f"@{second}" in line]
    assert machine.nodes.read_text() == before
