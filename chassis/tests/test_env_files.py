"""Files of settings as people have them: lines that cannot be read, references, quotes, Windows' line ends."""

import os
import subprocess
import sys

import pytest

from chassis.base import environment
from chassis.errors import SettingsError
from chassis.features import load
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS

SECRET = "Zk3vQ9xW1mB7nR5tY2uP8sD4fG6hJ0aL-cE"  # pragma: allowlist secret


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Return a function that gives the settings of a `.env` file with those bytes."""
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    for name in ("APP_ENV", "SECRET_KEY", "PORT", "HOST", "OTEL_SERVICE_NAME", environment.EPHEMERAL_SECRET_KEY):
        monkeypatch.delenv(name, raising=False)

    def of(content, name=".env"):
        (tmp_path / name).write_bytes(content)
        return load()

    return of


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b'HOST=127.0.0.1\n\nSECRET_KEY="never closed\n', "SECRET_KEY", "line 3 of .env"),
        (b"# first\r\n\r\nPORT=1001 \r\nSECRET_KEY\r\n", "SECRET_KEY", "line 4 of .env"),
        (b"PORT='1001' 'more'\n", "PORT", "line 1 of .env"),
        (b"export PORT '1001'\n", ".env", "line 1 of .env"),
        (b"OWN_THING='x\n", ".env", "line 1 of .env"),
        (b"PORT=1001\na secret that stands alone\n", ".env", "line 2 of .env"),
        (b"SECRET_KEY_FILE 'x'\n", ".env", "line 1 of .env"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_name_and_number(read, content, name, sentence):
    with pytest.raises(SettingsError) as raised:
        read(content)
    told = dict(raised.value.problems)
    assert sentence in told[name]
    for secret in ("never closed", "stands alone", "1001"):
        assert secret not in raised.value.message


def test_both_files_are_named(read):
    (environment.BASE_DIR / ".env.local").write_text("PORT='\n")
    with pytest.raises(SettingsError, match=r"line 1 of \.env:.*\n.*line 1 of \.env\.local"):
        read(b"HOST='\n")


def test_a_reference_stays_as_it_is_written(read, monkeypatch):
    monkeypatch.setenv("NAMED", "something")
    settings = read(b"OTEL_SERVICE_NAME=a-${NAMED}-${HOST:-b}-$NAMED\n")
    assert settings.otel_service_name == "a-${NAMED}-${HOST:-b}-$NAMED"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_of_windows_is_read(read, mark):
    settings = read(
        mark + b"# a comment\r\nPORT=1001\r\n\r\nHOST='10.0.0.1'\r\nSECRET_KEY=" + SECRET.encode() + b"\r\n"
    )
    assert (settings.port, settings.host, settings.secret_key.get_secret_value()) == (1001, "10.0.0.1", SECRET)


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("name", ["SECRET_KEY", "ADMIN_API_KEY", "OPENROUTER_API_KEY", "DATABASE_URL"])
def test_quotes_around_a_key_are_refused_where_nobody_took_them_off(read, monkeypatch, name, quote, tmp_path):
    value = "sqlite:///x.db" if name == "DATABASE_URL" else SECRET
    read(f"{name}={quote}{value}{quote}\n".encode())  # the file's own parser takes them off
    (tmp_path / "value").write_text(f"{quote}{value}{quote}\n")
    for variable, given in ((name, f"{quote}{value}{quote}"), (f"{name}_FILE", str(tmp_path / "value"))):
        with monkeypatch.context() as patch:
            patch.setenv(variable, given)
            with pytest.raises(SettingsError) as raised:
                read(b"")
        assert "in quotes" in dict(raised.value.problems)[name]
        assert SECRET not in raised.value.message


def test_the_start_and_the_flask_command_say_so_with_the_status_78(tmp_path):
    for name in ("app", "chassis", "wsgi.py", "run_web.py", "gunicorn_config.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".env").write_text("APP_ENV=development\nOTEL_SERVICE_NAME=a-${PATH}\nPORT='\n")
    patched = f"import pathlib, chassis.base.environment as e; e.BASE_DIR = pathlib.Path({str(tmp_path)!r}); "
    command = [sys.executable, "-c", patched + "from flask.cli import main; main()", "settings", "show"]
    done = subprocess.run(
        command, cwd=tmp_path, env=CLEAN, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
    )
    assert done.returncode == 78
    assert "PORT cannot be read on line 3 of .env" in done.stderr
    (tmp_path / ".env").write_text("OTEL_SERVICE_NAME=a-${PATH}\nOTHER_NAME=${OTEL_SERVICE_NAME}\n")
    done = subprocess.run(
        command, cwd=tmp_path, env=CLEAN, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
    )
    assert "OTEL_SERVICE_NAME=a-${PATH}  # .env" in done.stdout.splitlines()


def test_scripts_have_the_line_ends_of_unix_in_every_clone():
    git = ["git", "-C", str(ROOT)]
    listed = subprocess.run([*git, "ls-files", "--eol"], capture_output=True, text=True, check=True).stdout
    assert "i/crlf" not in listed
    assert "i/mixed" not in listed
    names = [line.partition("\t")[2] for line in listed.splitlines()]
    endings = (".sh", ".py", ".conf", "Makefile", "Dockerfile")
    scripts = [name for name in names if os.access(ROOT / name, os.X_OK) or name.endswith(endings)]
    scripts += [name for name in names if name.startswith("deploy/")]
    asked = subprocess.run(
        [*git, "check-attr", "--stdin", "eol"], input="\n".join(scripts), capture_output=True, text=True, check=True
    ).stdout
    assert len(scripts) > 20
    assert [line for line in asked.splitlines() if not line.endswith(": eol: lf")] == []
