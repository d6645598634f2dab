"""Upgrades that succeed, fail and are taken back."""

import time

from chassis.tests.deploy.proof.unit import main_pid, worker_pid
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

UPGRADE = "cd /root/app && git checkout -q {} && deploy/systemd/install.sh"
RELEASES = f"ls /opt/{SLUG}/releases"


def prove_part(report, machine) -> None:
    """Install what needs a restart, what cannot be imported, what is never ready, and what was there before."""
    update, back = blocks("docs/deploy.md", "systemd")[2:4]
    with report.step("systemd", "upgrade of the server") as line:
        said = machine.run(f"cd /root/app\n{update.replace('v0.2.0', 'v0.3.0')}")
        assert "by restart" in said, said
        line.see(last(said))
        expect(machine, "0.3.0")
    with report.step("systemd", "upgrade to a release that does not import") as line:
        before = pids(machine)
        line.see(last(fail(machine, "broken")))
        assert pids(machine) == before
        line.see("the service was not touched")
        expect(machine, "0.3.0")
    with report.step("systemd", "upgrade to a release that is never ready") as line:
        line.see(last(fail(machine, "unready", READY_SECONDS="8")))
        expect(machine, "0.3.0")
    with report.step("systemd", "install.sh interrupted while it waits") as line:
        line.see(last(interrupt(machine)))
        expect(machine, "0.3.0")
    with report.step("systemd", "rollback by hand") as line:
        began = time.monotonic()
        said = machine.run(f"cd /root/app\n{back}")
        assert "build" not in said, said
        line.see(f"{last(said)}, ready after {time.monotonic() - began:.1f} s")
        expect(machine, "0.1.0")
        line.see(f"kept: {' '.join(machine.run(RELEASES).split())}")
    with report.step("systemd", "a fourth release") as line:
        machine.run("cd /root/app && git checkout -q v0.3.0 && echo >>wsgi.py && deploy/systemd/install.sh")
        kept = machine.run(RELEASES).split()
        assert len(kept) == 3, kept
        line.see(f"kept: {' '.join(kept)}")


def fail(machine, tag: str, **env: str) -> str:
    """Upgrade to a tag that is known to fail; return what install.sh said."""
    done = machine.try_run(UPGRADE.format(tag), **env)
    assert done.returncode == 1, done.stdout
    return done.stdout


def interrupt(machine) -> str:
    """End an upgrade to the release that is never ready, once it runs; return what install.sh said."""
    switched = f"[ $(readlink -f /opt/{SLUG}/current) != $old ]"
    script = f"""
        cd /root/app && git checkout -q unready && old=$(readlink -f /opt/{SLUG}/current)
        deploy/systemd/install.sh & installer=$!
        until {switched}; do sleep 0.1; done
        sleep 3; kill $installer; wait $installer
    """
    done = machine.try_run(script)
    assert done.returncode == 1, done.stdout
    return done.stdout


def last(said: str) -> str:
    """Return the last line that tells of a release, without the folder."""
    (*_, line) = [line for line in said.splitlines() if " is " in line or " does not " in line]
    return line.removeprefix("install.sh: ").replace(f"/opt/{SLUG}/releases/", "")


def pids(machine) -> tuple[str, str]:
    return main_pid(machine), worker_pid(machine)


def expect(machine, version: str) -> None:
    status, text = machine.request("/healthz")
    assert (status, f'"version":"{version}"' in text) == (200, True), text
