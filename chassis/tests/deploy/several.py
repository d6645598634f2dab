"""The shipped nginx site before several nodes, installed as docs/deploy.md says."""

import contextlib
import os
import signal
import subprocess

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.deploy.site import Site
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

NODES = "deploy/nginx/nodes"


class Several(Site):
    """The site, with several nodes as docs/deploy.md says."""

    def __init__(self, folder, program, upstream, nodes):
        super().__init__(folder, program, upstream)
        typed = next(block for block in blocks("docs/deploy.md", "systemd, several instances") if NODES in block)
        typed = "\n".join(line for line in typed.splitlines() if not line.startswith("nginx"))
        subprocess.run(["bash", "-ec", typed.replace("/etc/nginx", f"{folder}/nginx")], cwd=ROOT, check=True)
        self.upstream = folder / f"nginx/conf.d/{SLUG}_nodes.conf"
        text = self.upstream.read_text()
        for port, node in zip((5001, 5002), nodes, strict=True):
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{node.port}")
        self.upstream.write_text(text)

    def mark(self, node, state):
        """Take a node out, or put it back, as instances.sh does."""
        env = {**CLEAN, "NODES_FILE": str(self.upstream), "NGINX_COMMAND": " ".join(self.command)}
        subprocess.run([ROOT / NODES / "node.sh", str(node.port), state], env=env, check=True)
        assert (f":{node.port} down " in self.upstream.read_text()) == (state == "down")


@contextlib.contextmanager
def frozen(node):
    """Stop all processes of a node without ending them, as a machine that hangs."""
    pids = [node.pid, *node.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
