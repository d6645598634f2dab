"""Backups by systemd's timers, beside those of the service itself; and logrotate as its own unit runs it."""

import re
import subprocess
import sys

from chassis.tests.deploy.proof.debian import ROOT
from chassis.tests.deploy.proof.unit import UNIT, wait_ready
from chassis.tests.deploy.test_logrotate import assert_nothing_is_lost
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

FOLDER = f"/var/lib/{SLUG}"
LOG = f"{FOLDER}/app.log"
COMMAND = f"{UNIT}-db@"
TOLD = re.compile(r"made (\S+\.db\.zst)")


def prove_part(report, machine) -> None:
    """Make backups from outside and inside, let the timers run them, rotate the log."""
    back_up(report, machine)
    catch_up(report, machine)
    rotate(report, machine)


def back_up(report, machine) -> None:
    with report.step("systemd", "backups by timers, with the commands of docs/deploy.md") as line:
        machine.run("cd /root/app && deploy/systemd/install.sh")
        (switch,) = [block for block in blocks("docs/deploy.md", "Backups from outside") if "systemctl" in block]
        machine.run(f"cd /root/app\n{switch}")
        wait_ready(machine)
        timers = machine.run(f"systemctl list-timers --no-legend '{UNIT}-*'").splitlines()
        assert len(timers) == 2, timers
        line.see(f"next: {' and '.join(' '.join(timer.split()[:3]) for timer in timers)}")
        assert machine.run(f"ls {FOLDER}/backups").count(".db.zst.sha256") == 1
        for name in ("backup", "verify"):
            exposure = machine.run(f"systemd-analyze security {COMMAND}{name} | tail -n 1")
            assert float(re.search(r"[\d.]+", exposure.partition("service")[2])[0]) <= 1.5, exposure
        said = machine.run(f"journalctl -u '{COMMAND}*' -o cat")
        assert re.search(r"is valid, SHA-256", said), said
        line.see(f"made and proven as {machine.run(f'stat -c %U:%a {FOLDER}/backups/*.zst').strip()}")
    with report.step("systemd", "both at once, from inside and outside") as line:
        ours = machine.run(commands("schedules run backup")).split()[0]
        machine.run(f"systemctl start {COMMAND}backup")
        machine.wait(lambda: f'"{ours}"' in machine.run(f"journalctl -u {UNIT} -o cat -g backup_done", check=False), 60)
        assert machine.run(f"ls {FOLDER}/backups").count(".db.zst.sha256") == 3
        line.see("each made its own")


def catch_up(report, machine) -> None:
    """Say that the last one was days ago, and let systemd find that."""
    with report.step("systemd", "a timer catches up what was missed") as line:
        stamp = f"/var/lib/systemd/timers/stamp-{UNIT}-backup.timer"
        before = len(made(machine))
        delay = "[Timer]\nRandomizedDelaySec=1"
        folder = f"/run/systemd/system/{UNIT}-backup.timer.d"
        machine.run(f"mkdir -p {folder} && echo '{delay}' >{folder}/soon.conf && systemctl daemon-reload")
        machine.run(f"systemctl stop {UNIT}-backup.timer && touch -d '3 days ago' {stamp}")
        machine.run(f"systemctl start {UNIT}-backup.timer")
        machine.wait(lambda: len(made(machine)) > before, 60)
        line.see(made(machine)[-1])


def made(machine) -> list[str]:
    """Return the backups that the journal tells of."""
    return TOLD.findall(machine.run(f"journalctl -u {COMMAND}backup -o cat"))


def commands(words: str) -> str:
    """Return the document's command with other words."""
    return blocks("docs/deploy.md", "systemd")[-1].replace("jobs list", words)


def rotate(report, machine) -> None:
    with report.step("systemd", "logrotate.service under load, with LOG_FILE") as line:
        machine.run(f"cp /root/app/deploy/logrotate/{SLUG} /etc/logrotate.d/")
        machine.run(f"echo LOG_FILE={LOG} >>/etc/{SLUG}/env; systemctl restart {UNIT}")
        wait_ready(machine)
        machine.run("systemctl start logrotate")  # the first time it only notes the day
        machine.run(r"sed -i -E 's/ [0-9]+-[0-9]+-[0-9]+-/ 2020-1-1-/' /var/lib/logrotate/status")
        command = [*machine.in_network(), sys.executable, "-m", "chassis.tests.deploy.proof.callers", "5000"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, **pipes, text=True) as callers:
            assert callers.stdout.readline() == "here\n"
            machine.run("systemctl start logrotate")
            machine.wait(lambda: machine.try_run(f"test -s {LOG}").returncode == 0, 30)
            asked = int(callers.communicate(timeout=90)[0])
        machine.wait(lambda: f'"asked-{asked - 1}-"' in machine.run(f"cat {LOG}"), 30)
        assert_nothing_is_lost(asked, machine.run(f"cat {LOG}-* {LOG}"))
        line.see(f"{asked} requests, none lost, in {' and '.join(machine.run(f'cd {FOLDER} && ls app.log*').split())}")
        machine.run(f"sed -i /LOG_FILE/d /etc/{SLUG}/env; systemctl restart {UNIT}")
        wait_ready(machine)
