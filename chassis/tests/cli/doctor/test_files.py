"""Files of secrets and data that others may read, and edited files of the chassis, are found."""

import shutil
import subprocess
import sys

import pytest

from chassis import boot, manifest
from chassis.base import environment
from chassis.cli import weaknesses
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT


@pytest.mark.parametrize(
    ("mode", "weak"), [(0o644, True), (0o604, True), (0o620, True), (0o640, False), (0o600, False)]
)
def test_files_with_secrets_are_not_for_everybody(found, tmp_path, monkeypatch, mode, weak):
    files = [tmp_path / name for name in (".env", ".env.local", "key")]
    for file in files:
        file.touch()
        file.chmod(mode)
    monkeypatch.setenv("SECRET_KEY_FILE", str(files[2]))
    assert found(weaknesses.secret_files) == ([str(file) for file in files] if weak else [])


def test_the_database_is_not_for_everybody(found, data):
    assert found(weaknesses.database_file) == [str(data / "app.db")]
    data.chmod(0o777)
    assert found(weaknesses.database_file) == [str(data), str(data / "app.db")]
    data.chmod(0o750)
    assert found(weaknesses.database_file) == []


def test_the_folder_that_a_start_makes_is_closed_to_others(found, tmp_path):
    boot.make_folder(Settings(database_url=f"sqlite:///{tmp_path}/data/app.db"))
    assert (tmp_path / "data").stat().st_mode & 0o007 == 0
    (tmp_path / "data/app.db").touch(mode=0o644)
    assert found(weaknesses.database_file) == []


@pytest.mark.parametrize("name", ["SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE", "CLIENT_API_KEYS_FILE"])
def test_files_of_secrets_that_an_env_file_names_are_looked_at(found, tmp_path, monkeypatch, name):
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    monkeypatch.delenv("APP_ENV", raising=False)
    (tmp_path / "value").touch(0o644)
    (tmp_path / ".env").write_text(f"{name}={tmp_path}/value\nPORT_FILE={tmp_path}/value\n")
    (tmp_path / ".env").chmod(0o600)
    assert found(weaknesses.secret_files) == [str(tmp_path / "value")]


def test_what_the_service_writes_is_not_for_everybody(found, data, tmp_path):
    check, others = weaknesses.written_files, data / "backups"
    others.mkdir(mode=0o755)
    names = ["app.log", "app-20261121T020000Z.db", "backups/app-20261121T020000Z.db.zst"]
    for name in names:
        (data / name).touch()
        (data / name).chmod(0o644)
    assert found(check, log_file=str(data / "app.log")) == [str(data / name) for name in names]
    others.chmod(0o700)
    (data / "app.log").chmod(0o600)
    assert found(check, log_file=str(data / "app.log")) == [str(data / names[1])]
    assert found(check, backup_to="s3://bucket/x") == [str(data / names[1])]


def test_an_edited_file_of_the_chassis_is_named(tmp_path):
    copy = tmp_path / "project"
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    shutil.copy(ROOT / "wsgi.py", copy)
    (copy / "chassis/base/times.py").write_text("# mine\n" + (ROOT / "chassis/base/times.py").read_text())
    (copy / "chassis/times.py").write_text("# a file of my own\n")
    (copy / "chassis/base/cron.py").unlink()
    code = "from chassis.manifest import edits; print(*edits(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, env=CLEAN, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["base/cron.py (removed)", "base/times.py (changed)", "times.py (added)"]
    (copy / "chassis/base/cron.py").write_text((ROOT / "chassis/base/cron.py").read_text())
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
    told = subprocess.run(
        [sys.executable, "-m", "flask", "doctor"], cwd=copy, env=env, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "chassis/base/times.py (changed): differs from its manifest" in told.stdout
    assert "chassis/times.py (added): differs from its manifest" in told.stdout


def test_the_chassis_is_as_its_manifest_says():
    assert manifest.edits() == [], "after a change of the chassis itself: make manifest"
