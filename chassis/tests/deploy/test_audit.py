"""The audit finds what is planted, and does not take a missing database for safety."""

import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS

BIN = Path(sys.executable).parent
KNOWN = 'URL = "https://user' + ':made-up@example.org"\n'


@pytest.fixture
def repository(tmp_path):
    """A small repository with the audit in it, that git knows."""
    for name in ("deploy/audit.py", "pyproject.toml", "requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    for name in ("app/__init__.py", "run_web.py", "gunicorn_config.py", "wsgi.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "app/known.py").write_text(KNOWN)
    scan = [f"{BIN}/detect-secrets", "scan", "--all-files", "--disable-plugin", "KeywordDetector", "app", "chassis"]
    baseline = subprocess.run(scan, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / ".secrets.baseline").write_text(baseline)
    return tmp_path


def audit(folder, *names, **env):
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    command = [sys.executable, "deploy/audit.py", *names]
    env = {**CLEAN, "PATH": f"{BIN}:{CLEAN['PATH']}", **env}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS)


def test_planted_code_and_secrets_are_found(repository):
    (repository / "app/known.py").write_text("# moved down\n\n" + KNOWN)
    assert audit(repository, "code", "secrets").returncode == 0
    (repository / "app/__init__.py").write_text("import pickle\n\n\ndef load(text):\n    return eval(text)\n")
    (repository / "app/key.txt").write_text("AKIA" + "QYLPMN5HHHFPZAM2\n")
    done = audit(repository, "code", "secrets")
    assert done.returncode == 1
    assert "B307" in done.stdout
    assert "AWS Access Key" in done.stdout


def test_a_licence_that_binds_is_found(repository):
    (repository / "requirements.txt").write_text("flask==3.1.3\n")
    assert audit(repository, "licences").returncode == 0
    (repository / "requirements.txt").write_text("podman-compose==1.6.0\n")
    assert audit(repository, "licences").returncode == 1


def test_without_the_database_nothing_is_called_safe(repository):
    done = audit(repository, "vulnerabilities", HTTPS_PROXY="http://127.0.0.1:9", PIP_INDEX_URL="https://127.0.0.1:9")
    assert done.returncode == 3
    assert "NOT known" in done.stderr
    assert "No known" not in done.stdout
