"""instances.sh from release to release, below a folder, with stand-ins for systemd and for the service."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.deploy.ours import needs
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS

NODES = "deploy/nginx/nodes"
pytestmark = [needs("deploy/systemd/instances.sh"), needs(NODES)]


class Ready(BaseHTTPRequestHandler):
    """Answers /readyz."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


class Machine:
    """Two ports that answer, and the folders of the script; a release named `broken` does not start."""

    def __init__(self, folder):
        self.folder, self.told = folder, folder / "systemctl.log"
        self.servers = [ThreadingHTTPServer(("127.0.0.1", 0), Ready) for _ in range(2)]
        self.ports = [str(server.server_address[1]) for server in self.servers]
        for part in ("bin", "units", "opt/releases", "checkout/deploy/systemd", f"checkout/{NODES}"):
            (folder / part).mkdir(parents=True)
        lines = "".join(f"    server 127.0.0.1:{port} max_fails=1;\n" for port in self.ports)
        self.nodes = folder / "nodes.conf"
        self.nodes.write_text(f"upstream {SLUG} {{\n{lines}}}\n")
        self._install()

    def _install(self):
        text = (ROOT / "deploy/systemd/instances.sh").read_text()
        places = {
            "/opt/$NAME": f"{self.folder}/opt",
            "/etc/systemd/system": f"{self.folder}/units",
            "/run/$NAME": f"{self.folder}/$NAME",
            f"/etc/nginx/conf.d/{SLUG}_nodes.conf": str(self.nodes),
        }
        for place, here in places.items():
            assert place in text
            text = text.replace(place, here)
        self.write("checkout/deploy/systemd/instances.sh", text)
        self.write(f"checkout/{NODES}/node.sh", (ROOT / NODES / "node.sh").read_text())
        # What systemd is asked to do, with the nodes that nginx leaves out at that moment.
        down = f"$(sed -n 's/.*:\\([0-9]*\\) down .*/ without \\1/p' {self.nodes})"
        self.write(
            "bin/systemctl",
            f'#!/bin/sh\necho "$*{down}" >>{self.told}\n[ "$1" = restart ] || exit 0\n'
            f'[ "$(basename "$(readlink {self.folder}/opt/instances/"${{2#*@}}")")" != broken ]\n',
        )
        self.write("bin/journalctl", "#!/bin/sh\n")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def release_of(self, port):
        return (self.folder / "opt/instances" / port).resolve().name

    def update(self, name):
        """Build a release, as far as the script can see, and switch both ports to it."""
        release = self.folder / "opt/releases" / name
        (release / ".venv/bin").mkdir(parents=True)
        (release / ".venv/bin/python").symlink_to(sys.executable)
        (release / "deploy/systemd").mkdir(parents=True)
        for kind in ("service", "timer"):
            (release / f"deploy/systemd/one.{kind}").touch()
        self.write("checkout/deploy/systemd/install.sh", f'#!/bin/sh\necho "install.sh: built {release}"\n')
        self.told.write_text("")
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        given = {**CLEAN, "PATH": path, "NODES_FILE": str(self.nodes), "NGINX_COMMAND": "true"}
        given["READY_SECONDS"] = f"{LIMIT_SECONDS:.0f}"
        command = [self.folder / "checkout/deploy/systemd/instances.sh", *self.ports]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)

    def asked(self, verb):
        return [line for line in self.told.read_text().splitlines() if line.startswith(verb)]


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
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
