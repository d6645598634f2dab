"""What docs/deploy.md tells to do without systemd, on a fresh Debian with supervisor and logrotate."""

import tempfile
import time
from pathlib import Path

from chassis.tests.deploy.proof.debian import tools, tree, wheels
from chassis.tests.deploy.proof.nspawn import Machine
from chassis.tests.deploy.proof.upstream import Upstream
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

LOG = f"/var/log/{SLUG}/service.log"


def prove(report) -> None:
    """Start, update, reload, rotate, kill, go back, stop."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "upstream").mkdir()
        folder.chmod(0o755)
        with report.step("supervisor", "a Debian, and this project as a git repository"):
            tools()
            tree()
            Upstream(folder / "upstream")
            wheels(folder)
        with Machine(folder / "upstream", folder / "wheels") as machine:
            live(report, machine)


def live(report, machine) -> None:
    start, update, reload = blocks("docs/deploy.md", "supervisor")
    with report.step("supervisor", "clone, the commands, first page") as line:
        began = time.monotonic()
        machine.run(f"git clone -q /upstream /root/app && cd /root/app\n{start}")
        machine.wait(lambda: machine.request("/")[0] == 200, 30)
        line.see(f"first page after {time.monotonic() - began:.1f} s")
    with report.step("supervisor", "update, then rollback"):
        for version in ("v0.2.0", "v0.1.0"):
            machine.run(update.replace("v0.2.0", version))
            machine.wait(lambda version=version: f'"{version[1:]}"' in machine.request("/healthz")[1], 30)
    with report.step("supervisor", "reload after a change of a page") as line:
        machine.run(f"cd /opt/{SLUG}/current && sed -i 's/<title>/<title>Third /' chassis/web/templates/base.html")
        machine.run(reload)
        machine.wait(lambda: "<title>Third " in machine.request("/")[1], 30)
        line.see(machine.run("supervisorctl status").strip())
    with report.step("supervisor", "logrotate") as line:
        machine.run(f"logrotate --force /etc/logrotate.d/{SLUG}")
        machine.wait(lambda: machine.request("/nothing")[0] == 404 and "/nothing" in machine.run(f"cat {LOG}"), 20)
        line.see(" ".join(machine.run(f"ls /var/log/{SLUG}").split()))
    with report.step("supervisor", "kill -9 of the master") as line:
        began = time.monotonic()
        machine.run(f"kill -9 $(supervisorctl pid {SLUG})")
        machine.wait(lambda: "Booting worker" in machine.run(f"cat {LOG}"), 30)
        machine.wait(lambda: machine.request("/readyz")[0] == 200, 30)
        line.see(f"ready after {time.monotonic() - began:.1f} s")
    with report.step("supervisor", "stop") as line:
        line.see(machine.run(f"supervisorctl stop {SLUG}").strip())
        assert machine.request("/livez")[0] == 0
