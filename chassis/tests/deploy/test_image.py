"""The Dockerfile and what gets into the image; `make deploy-proof` builds and runs it."""

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def rules():
    return [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]


def context(source, target):
    """Copy what .dockerignore lets through."""
    left_out = [line.removeprefix("**/") for line in rules() if line.startswith("**/")]
    for name in (line[1:] for line in rules() if line.startswith("!")):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns(*left_out))
        else:
            shutil.copy(source / name, target)


def test_the_dockerfile_has_no_lint():
    found = subprocess.run([Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"], capture_output=True)
    assert found.returncode == 0, found.stdout.decode()


@pytest.mark.long
def test_the_context_is_all_that_runs(tmp_path):
    context(ROOT, tmp_path)
    env = {**CLEAN, "APP_ENV": "production", "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz"}
    command = [sys.executable, "run_web.py", "--check"]
    found = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "requirements-dev.txt").exists()  # the versions of PACKAGES


def test_the_context_is_nothing_else():
    assert rules()[0] == "*"
    assert all(re.fullmatch(r"\*|![\w.-]+|\*\*/[\w.*]+", rule) for rule in rules())
    kept = {rule[1:] for rule in rules() if rule.startswith("!")}
    assert not kept & {".env", ".git", "data", "tests", "deploy", "examples"}
    assert all((ROOT / name).exists() for name in kept)
    for name in (".env", ".env.local", ".git", "__pycache__", "tests"):
        assert any(fnmatch.fnmatch(name, rule[3:]) for rule in rules() if rule.startswith("**/"))


def test_what_runs_is_a_numeric_user_that_owns_nothing_but_the_data():
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"--chown=\S+ (.+)$", final, re.MULTILINE) == ["/data /data"]
    assert re.findall(r"^CMD (.+)$", final, re.MULTILINE) == ['["python", "run_web.py"]']
    assert "ENTRYPOINT" not in final
    assert "VOLUME /data" in final
    assert "sqlite:////data/" in final


def test_further_packages_are_those_of_the_lock_too():
    (install,) = re.findall(r"^RUN \[ -z .+\n.+$", DOCKERFILE, re.MULTILINE)
    for option in ("--only-binary :all:", "-c requirements-dev.txt ${PACKAGES}"):
        assert option in install


def test_the_packages_are_those_of_the_lock():
    (install,) = re.findall(r"^RUN pip .+$", DOCKERFILE, re.MULTILINE)
    for option in ("--require-hashes", "--only-binary :all:", "-r ${REQUIREMENTS}"):
        assert option in install
