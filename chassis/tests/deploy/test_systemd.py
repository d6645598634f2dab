"""The systemd unit and its installer, by the tools that know them; `make deploy-proof ONLY=systemd` boots them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.server.start import SPARE_FILES
from chassis.settings.jobs import JobSettings
from chassis.settings.server import ServerSettings
from chassis.tests.conftest import CLEAN
from chassis.tests.named import SLUG

ROOT = Path(__file__).parents[3]
UNIT = ROOT / f"deploy/systemd/{SLUG}.service"
WORKER = ROOT / f"deploy/systemd/{SLUG}-worker@.service"
COMMANDS = ROOT / f"deploy/systemd/{SLUG}-db@.service"
TIMERS = {f"{SLUG}-backup.timer": "backup", f"{SLUG}-drill.timer": "verify"}
INSTALLER = ROOT / "deploy/systemd/install.sh"
PLACES = [Path(f"/opt/{SLUG}"), Path(f"/etc/{SLUG}"), Path(f"/etc/systemd/system/{SLUG}.service")]
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
SHIPPED = ("app", "chassis", "gunicorn_config.py", *REQUIREMENTS, "run_web.py", "wsgi.py", "deploy")


def run(*command, cwd=ROOT):
    found = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def value(name, unit=UNIT):
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


@pytest.mark.parametrize("shipped", [UNIT, COMMANDS, WORKER], ids=lambda path: path.stem)
def test_a_unit_is_valid_and_hardened(tool, tmp_path, shipped):
    analyze = tool("systemd-analyze", "systemd")
    unit = tmp_path / shipped.name.replace("@", "@backup")
    unit.write_text(shipped.read_text().replace(f"/opt/{SLUG}/current/.venv/bin/python", sys.executable))
    run(analyze, "verify", "--man=no", "--recursive-errors=no", unit)
    run(analyze, "security", "--offline=true", "--threshold=15", unit)


def test_a_unit_may_lower_its_own_priority_which_a_backup_does():
    for unit in (UNIT, COMMANDS, WORKER):
        assert value("SystemCallFilter", unit)[-1] == "setpriority"


def test_the_commands_run_as_the_service_does():
    hardening = UNIT.read_text().partition("NoNewPrivileges")[2].partition("[Install]")[0]
    assert hardening.strip() in COMMANDS.read_text()
    for name in ("User", "WorkingDirectory", "EnvironmentFile", "StateDirectory", "StateDirectoryMode", "UMask"):
        assert value(name, COMMANDS) == value(name)
    assert value("ExecStart", COMMANDS) == [f"/opt/{SLUG}/current/.venv/bin/python -m flask db %i"]


def test_the_workers_run_as_the_service_does_and_restart_with_it():
    hardening = UNIT.read_text().partition("NoNewPrivileges")[2].partition("[Install]")[0]
    assert hardening.strip() in WORKER.read_text()
    same = ("User", "WorkingDirectory", "EnvironmentFile", "StateDirectory", "UMask", "Restart", "KillMode")
    for name in (*same, "RestartPreventExitStatus", "StartLimitIntervalSec"):
        assert value(name, WORKER) == value(name)
    assert value("ExecStart", WORKER) == [f"/opt/{SLUG}/current/.venv/bin/python -m chassis.serving.worker"]
    assert int(value("TimeoutStopSec", WORKER)[0]) > JobSettings.model_fields["jobs_grace_seconds"].default + 5
    assert 'systemctl try-restart "$NAME-worker@*"' in INSTALLER.read_text()


@pytest.mark.parametrize(("name", "command"), TIMERS.items())
def test_a_timer_starts_a_command_and_catches_up(tool, name, command):
    timer = UNIT.parent / name
    assert value("Unit", timer) == [f"{SLUG}-db@{command}.service"]
    assert value("Persistent", timer) == ["true"]
    run(tool("systemd-analyze", "systemd"), "calendar", *value("OnCalendar", timer))
    assert name.removesuffix(".timer").removeprefix(SLUG) in INSTALLER.read_text()


def test_the_unit_leaves_time_for_the_drain_and_files_for_the_connections():
    server = ServerSettings.model_fields
    grace = server["gunicorn_graceful_timeout_seconds"].default + server["drain_delay_seconds"].default
    assert int(value("TimeoutStopSec")[0]) >= grace + JobSettings.model_fields["jobs_grace_seconds"].default + 5
    assert int(value("LimitNOFILE")[0]) >= 2 * server["gunicorn_worker_connections"].default + SPARE_FILES


def test_the_unit_checks_before_it_starts_or_signals():
    check = f"/opt/{SLUG}/current/.venv/bin/python run_web.py --check"
    assert value("ExecStartPre") == [f"/bin/sh -c '{check} || [ $$? = 78 ]'"]
    assert value("ExecReload") == [check, "/bin/sh -c 'kill -HUP $MAINPID'"]
    assert value("ExecStart") == [check.removesuffix(" --check")]
    assert value("RestartPreventExitStatus") == ["78"]


def test_the_installer_is_sound_shell(tool):
    run(tool("shellcheck"), INSTALLER)


def test_the_installer_copies_what_the_image_copies():
    image = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.search(r'^SHIPPED="(.*)"$', INSTALLER.read_text(), re.MULTILINE)[1].split()
    assert set(copied) - image == {"deploy/systemd/*.service", "deploy/systemd/*.timer"}
    assert image - set(copied) <= {"requirements-scaled.txt"}  # the installer's drivers are in /etc


def test_a_reload_is_not_trusted_with_what_the_master_holds():
    reloaded = re.search(r"^RELOADED='(.*)'$", INSTALLER.read_text(), re.MULTILINE)[1]
    program = (
        "import gunicorn_config, chassis.server.worker, sys\n"
        "print(*(module.__file__ for name, module in sys.modules.items() if name.split('.')[0] in ('app', 'chassis')))"
    )
    held = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**CLEAN, "APP_ENV": "test", "LOG_LEVEL": "WARNING"},
        capture_output=True,
        text=True,
    )
    files = [str(Path(name).relative_to(ROOT)) for name in held.stdout.splitlines()[-1].split()]
    assert "chassis/server/worker.py" in files, held.stderr
    kept = {name for name in files if re.match(reloaded, name)}
    features = re.compile(r"app/features/|app/settings[.]py|chassis/parts/|chassis/settings/")
    assert {name for name in kept if not features.match(name)} == {
        *("app/__init__.py", "chassis/__init__.py"),
        *("chassis/features.py", "chassis/service.py"),
    }


@pytest.fixture
def checkout(tool, tmp_path):
    """A copy of what is shipped, and a function that gives the name of the release that it would become."""
    tool("systemd-analyze", "systemd")
    for name in SHIPPED:
        source, target = ROOT / name, tmp_path / "checkout" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return tmp_path / "checkout"


def release(checkout):
    told = run("deploy/systemd/install.sh", "--dry-run", cwd=checkout)
    return re.search(r"releases/(\S+)", told)[1]


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(checkout):
    before = [path.exists() for path in PLACES], sorted(checkout.rglob("*"))
    told = run("deploy/systemd/install.sh", "--dry-run", "--with-backups", cwd=checkout).splitlines()
    assert all(line.startswith("install.sh: would ") or "is already running" in line for line in told)
    assert any("/readyz" in line for line in told)
    assert told[-1].endswith("enable the timers of backups")
    assert before == ([path.exists() for path in PLACES], sorted(checkout.rglob("*")))


def test_a_release_is_named_after_its_content(checkout):
    first = release(checkout)
    assert re.fullmatch(r"\d+\.\d+\.\d+-[0-9a-f]{10}", first)
    (checkout / "app/__pycache__").mkdir(exist_ok=True)
    (checkout / "app/__pycache__/x.pyc").write_bytes(b"")
    (checkout / "wsgi.py").touch()
    assert release(checkout) == first
    (checkout / "wsgi.py").write_text("raise SystemExit\n")
    assert release(checkout) != first


def test_the_installer_knows_its_options():
    assert "--dry-run" in run(INSTALLER, "--help")
    wrong = subprocess.run([INSTALLER, "--drv-run"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "usage" in wrong.stderr
