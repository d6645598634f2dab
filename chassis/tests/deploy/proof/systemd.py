"""The unit and its installer on a machine that boots: started, killed, upgraded, broken, rebooted."""

import re
import tempfile
import time
from pathlib import Path

from chassis.server.start import SPARE_FILES
from chassis.tests.deploy.proof import systemd_reload, systemd_upgrade, systemd_upkeep
from chassis.tests.deploy.proof.debian import tools, tree, wheels
from chassis.tests.deploy.proof.nspawn import Machine
from chassis.tests.deploy.proof.unit import UNIT, main_pid, shown, wait_ready, worker_pid
from chassis.tests.deploy.proof.upstream import Upstream
from chassis.tests.documents import blocks
from chassis.tests.named import EXAMPLE, SLUG

WAY = "systemd"


def prove(report) -> None:
    """Go through a service's life."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "upstream").mkdir()
        folder.chmod(0o755)
        with report.step(WAY, "a Debian with systemd, and this project as a git repository") as line:
            tools()
            tree()
            Upstream(folder / "upstream")
            line.see(f"{len(list(wheels(folder).iterdir()))} packages for later")
        with Machine(folder / "upstream", folder / "wheels") as machine:
            install(report, machine)
            kill(report, machine)
            refuse_wrong_settings(report, machine)
            systemd_reload.prove_part(report, machine)
            systemd_upgrade.prove_part(report, machine)
            systemd_upkeep.prove_part(report, machine)
            keep_secrets(report, machine)
            reboot(report, machine)


def install(report, machine) -> None:
    start, restart = blocks("docs/deploy.md", "systemd")[:2]
    with report.step(WAY, "clone, install.sh, first page") as line:
        began = time.monotonic()
        machine.run(f"git clone -q -b v0.1.0 /upstream /root/app 2>&1 && cd /root/app && {start}")
        assert machine.request("/")[0] == 200
        line.see(f"first page after {time.monotonic() - began:.1f} s")
        line.see(machine.run(f"systemd-analyze security {UNIT} | tail -n 1").strip(" \n→🙂"))
        machine.run(f"test $(stat -c %a:%U /etc/{SLUG}/env) = 600:root")
        files = machine.run(f"grep 'open files' /proc/{main_pid(machine)}/limits").split()[3]
        assert int(files) >= 10_000 + SPARE_FILES, files
        line.see(f"may open {files} files")
    with report.step(WAY, "install.sh again, then a setting and a restart") as line:
        before = machine.run(f"md5sum /etc/{SLUG}/env"), main_pid(machine)
        line.see(machine.run(f"cd /root/app && {start}").split("install.sh: ")[1].strip())
        assert before == (machine.run(f"md5sum /etc/{SLUG}/env"), main_pid(machine))
        machine.run(f"echo DEMO_PREDICTOR=true >>/etc/{SLUG}/env\n{restart}")
        wait_ready(machine)
    with report.step(WAY, "commands with the service's settings"):
        job = machine.request(f"/api/{EXAMPLE}", {"name": "kept", "prompt": "Is {x} harmful?", "rows": [{"x": "y"}]})
        assert job[0] == 202, job
        machine.wait(lambda: "succeeded" in machine.run(blocks("docs/deploy.md", "systemd")[-1]), 20)


def kill(report, machine) -> None:
    with report.step(WAY, "kill -9 of the master") as line:
        first = main_pid(machine)
        machine.run(f"kill -9 {first}")
        line.see(f"ready after {wait_ready(machine, other_than=first):.1f} s")
    with report.step(WAY, "kill -9 of the worker") as line:
        master, worker = main_pid(machine), worker_pid(machine)
        machine.run(f"kill -9 {worker}")
        began = time.monotonic()
        machine.wait(lambda: worker_pid(machine) not in ("", worker) and machine.request("/readyz")[0] == 200, 30)
        assert main_pid(machine) == master
        line.see(f"ready after {time.monotonic() - began:.1f} s, same master")


def refuse_wrong_settings(report, machine) -> None:
    with report.step(WAY, "a wrong setting") as line:
        master = main_pid(machine)
        machine.run(f"echo PORT=abc >>/etc/{SLUG}/env")
        assert machine.try_run(f"systemctl reload {UNIT}").returncode
        assert (main_pid(machine), machine.request("/readyz")[0]) == (master, 200)
        line.see("a reload is refused and changes nothing")
        assert machine.try_run(f"systemctl restart {UNIT}").returncode
        time.sleep(5)
        state = [shown(machine, name) for name in ("ActiveState", "ExecMainStatus", "NRestarts")]
        assert state == ["failed", "78", "0"], state
        line.see("a restart fails with 78 and is not repeated")
        line.see(re.findall(r"^ +(PORT .*)$", machine.run(f"journalctl -u {UNIT} -o cat"), re.MULTILINE)[-1])
        machine.run(f"sed -i /PORT/d /etc/{SLUG}/env && systemctl restart {UNIT}")
        wait_ready(machine)


def keep_secrets(report, machine) -> None:
    with report.step(WAY, "SECRET_KEY as a credential") as line:
        (block,) = [block for block in blocks("docs/deploy.md", "systemd") if "LoadCredential" in block]
        machine.run(block)
        wait_ready(machine)
        environment = machine.run(f"tr '\\0' '\\n' </proc/{main_pid(machine)}/environ")
        assert "SECRET_KEY=" not in environment
        line.see(re.search(r"SECRET_KEY_FILE=.*", environment)[0])


def reboot(report, machine) -> None:
    with report.step(WAY, "reboot") as line:
        before = machine.request(f"/api/{EXAMPLE}")[1]
        assert '"kept"' in before, before
        machine.reboot()
        line.see(f"ready {wait_ready(machine):.1f} s after systemd")
        assert machine.request(f"/api/{EXAMPLE}")[1] == before
        line.see("data kept")
