"""The unit of several instances and the script that replaces them, by the tools that know them."""

import subprocess
import sys

import pytest

from chassis.tests.conftest import ROOT
from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.test_systemd import UNIT, run, value
from chassis.tests.named import SLUG

INSTANCE = ROOT / f"deploy/systemd/{SLUG}@.service"
SCRIPT = ROOT / "deploy/systemd/instances.sh"
HERE = f"/opt/{SLUG}/instances/%i"
pytestmark = needs(f"deploy/systemd/{SLUG}@.service")


def test_the_unit_is_valid_and_hardened(tool, tmp_path):
    unit = tmp_path / INSTANCE.name.replace("@", "@5001")
    unit.write_text(INSTANCE.read_text().replace(f"{HERE}/.venv/bin/python", sys.executable))
    run(tool("systemd-analyze", "systemd"), "verify", "--man=no", "--recursive-errors=no", unit)
    run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)


def test_an_instance_is_held_and_ended_as_the_service_is():
    hardening = UNIT.read_text().partition("NoNewPrivileges")[2]
    assert hardening.strip() in INSTANCE.read_text()
    for name in (
        "Type", "User", "EnvironmentFile", "Restart", "RestartPreventExitStatus", "TimeoutStopSec", "KillMode",
        "OOMPolicy", "LimitNOFILE", "StateDirectory", "UMask",
    ):  # fmt: skip
        assert value(name, INSTANCE) == value(name), name


def test_the_port_is_the_name_whatever_the_settings_say():
    assert value("ExecStart", INSTANCE) == [f"/usr/bin/env PORT=%i {HERE}/.venv/bin/python run_web.py"]
    assert value("WorkingDirectory", INSTANCE) == [HERE]


def test_the_script_is_sound_shell(tool):
    run(tool("shellcheck"), SCRIPT)


def test_a_dry_run_says_what_it_would_do(tool):
    tool("systemd-analyze", "systemd")
    told = run(SCRIPT, "--dry-run", "5001", "5002").splitlines()
    assert all(": would " in line for line in told)
    assert told[-1].endswith("one after the other")


@pytest.mark.parametrize("words", [[], ["5001"], ["5001", "http"], ["5001", ""]])
def test_it_needs_two_ports(words):
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage" in done.stderr
