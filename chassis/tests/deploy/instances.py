"""instances.sh below a folder: its places, its releases, and a stand-in for systemctl that the test brings."""

import os
import subprocess
from pathlib import Path

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS

NODES = "deploy/nginx/nodes"


class Machine:
    """The folders of the script; `nodes` is nginx's file of the upstream, and `nginx` the command that reloads it."""

    def __init__(self, folder: Path, ports: list[str], nodes: Path, nginx: str) -> None:
        self.folder, self.ports, self.nodes, self.nginx = folder, ports, nodes, nginx
        for part in ("bin", "units", "opt/releases", "checkout/deploy/systemd", f"checkout/{NODES}"):
            (folder / part).mkdir(parents=True)
        text = (ROOT / "deploy/systemd/instances.sh").read_text()
        places = {
            "/opt/$NAME": f"{folder}/opt/$NAME",
            "/etc/systemd/system": f"{folder}/units",
            "/run/$NAME": f"{folder}/$NAME",
            f"/etc/nginx/conf.d/{SLUG}_nodes.conf": str(nodes),
        }
        for place, here in places.items():
            assert place in text
            text = text.replace(place, here)
        self.write("checkout/deploy/systemd/instances.sh", text)
        self.write(f"checkout/{NODES}/node.sh", (ROOT / NODES / "node.sh").read_text())
        self.write("bin/journalctl", "#!/bin/sh\n")

    def write(self, name: str, text: str) -> None:
        """Write a program."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def release(self, name: str) -> Path:
        """Return the folder of a release."""
        return self.folder / "opt" / SLUG / "releases" / name

    def release_of(self, port: str) -> str:
        """Return the name of the release that a port has."""
        return (self.folder / "opt" / SLUG / "instances" / port).resolve().name

    def switch(self, name: str) -> subprocess.CompletedProcess:
        """Run the script with this release as the one that install.sh has built."""
        self.write("checkout/deploy/systemd/install.sh", f'#!/bin/sh\necho "install.sh: built {self.release(name)}"\n')
        given = {**CLEAN, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        given |= {"NODES_FILE": str(self.nodes), "NGINX_COMMAND": self.nginx, "READY_SECONDS": f"{LIMIT_SECONDS:.0f}"}
        command = [self.folder / "checkout/deploy/systemd/instances.sh", *self.ports]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)
