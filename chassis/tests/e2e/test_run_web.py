"""`run_web.py` as a person at a terminal uses it: options, background, stop, reload, status, development."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from chassis.tests.conftest import CLEAN, ROOT, free_port, same_in_every_mode
from chassis.tests.patience import LIMIT_SECONDS, wait_until

pytestmark = same_in_every_mode


@pytest.fixture
def copy(tmp_path):
    """Return a folder with the project's code, and its data apart from ours."""
    folder = tmp_path / "project"
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("tests"))
    for name in ("run_web.py", "wsgi.py", "gunicorn_config.py"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def web(copy):
    """Return a function that runs `run_web.py` with options; what it leaves behind is ended."""
    port = str(free_port())

    def run(*options, **env):
        command = [sys.executable, str(copy / "run_web.py"), *options]
        env = {**CLEAN, "APP_ENV": "test", "PORT": port, **env}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    run.port = port
    yield run
    for pid_file in copy.parent.rglob("*.pid"):
        run("stop", "--pid", str(pid_file))


def ask(port, path, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get(port, path):
    return ask(port, path)[1]


BROKEN = '\n\n@blueprint.get("/broken")\ndef broken():\n    raise RuntimeError("secret")\n'


def test_a_server_in_the_background_is_started_shown_reloaded_and_stopped(web, copy):
    pages, version = copy / "chassis/web/pages.py", copy / "app/__init__.py"
    good = pages.read_text() + BROKEN
    pages.write_text(good)
    assert web("status").returncode == 3
    started = web("--daemon")
    assert started.returncode == 0, started.stderr
    pid = int((copy / "data/web.pid").read_text())
    assert f"http://127.0.0.1:{web.port}" in started.stdout
    assert f"pid {pid}" in started.stdout
    assert "ready" in web("status").stdout
    again = web("--daemon")
    assert (again.returncode, "is already running" in again.stderr) == (1, True)
    no_traceback_is_shown(web.port)

    pages.write_text("import no_such_module\n")
    refused = web("reload")
    assert (refused.returncode, "no_such_module" in refused.stderr) == (1, True)
    assert web("reload", LOG_LEVEL="LOUD").returncode == 78
    assert "ready" in web("status").stdout, "the old code serves on"
    pages.write_text(good)

    version.write_text(version.read_text().replace('version="', 'version="9'))
    assert web("reload").returncode == 0
    wait_until(lambda: '"version":"9' in get(web.port, "/healthz").replace(" ", ""))
    assert int((copy / "data/web.pid").read_text()) == pid

    stopped = web("stop")
    assert (stopped.returncode, f"pid was {pid}" in stopped.stdout) == (0, True)
    assert web("status").returncode == 3
    assert web("stop").returncode == 1


def no_traceback_is_shown(port):
    """See that a page that raises tells a person nothing of why."""
    status, page = ask(port, "/broken", Accept="text/html")
    assert status == 500
    assert "secret" not in page
    assert "Traceback" not in page


def test_a_start_in_the_background_that_fails_says_why(web, copy):
    wrong = web("--daemon", "--log-level", "loud")
    assert (wrong.returncode, "LOG_LEVEL" in wrong.stderr) == (78, True)
    broken = web("--daemon", "--workers", "many")
    assert (broken.returncode, "GUNICORN_WORKERS" in broken.stderr) == (78, True)
    (copy / "chassis/web/pages.py").write_text("import no_such_module\n")
    late = web("--daemon")
    assert (late.returncode, "no_such_module" in late.stderr) == (3, True)  # gunicorn's own status
    assert web("status").returncode == 3


def test_a_port_that_is_taken_is_said(web):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = web("--daemon", "--bind", f"127.0.0.1:{port}")
    assert (taken.returncode, f"Port {port} is in use" in taken.stderr) == (1, True)


@pytest.mark.long
def test_a_pid_of_a_killed_server_is_not_taken_for_another_process(web, copy):
    web("--daemon", "--pid", str(copy / "other.pid"))
    pid = int((copy / "other.pid").read_text())
    assert "ready" in web("status", "--pid", str(copy / "other.pid")).stdout
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: web("status", "--pid", str(copy / "other.pid")).returncode == 3)
    (copy / "other.pid").write_text(f"{os.getpid()}\n")
    assert web("stop", "--pid", str(copy / "other.pid")).returncode == 1
    assert web("--daemon", "--pid", str(copy / "other.pid")).returncode == 0


def test_a_wrong_address_is_refused(web):
    for given in ("nowhere", "host:", "1.2.3.4:http"):
        refused = web("--bind", given)
        assert (refused.returncode, "is not HOST:PORT" in refused.stderr) == (2, True)


@pytest.mark.long
def test_options_come_before_the_environment(copy, serve):
    port = free_port()
    command = [sys.executable, str(copy / "run_web.py"), "--bind", f"[::1]:{port}", "--log-level", "debug"]
    server = serve(command=command, ready=False)
    wait_until(lambda: f"Serving on http://[::1]:{port}" in server.log)
    assert '"level": "debug"' in server.log or "[debug" in server.log
