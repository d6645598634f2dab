"""What gunicorn is told by its command line, GUNICORN_CMD_ARGS and WEB_CONCURRENCY is held by the settings' rules."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.server import libraries
from chassis.server.told import METRICS_FOLDERS, OURS, READ_BY_LIBRARIES, is_gunicorn, told, unreadable
from chassis.tests.conftest import ROOT, same_in_every_mode
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import LEAN, SERVE, free_port

pytestmark = same_in_every_mode
GUNICORN = "/somewhere/bin/gunicorn"


@pytest.mark.parametrize(
    ("words", "options", "settings"),
    [
        ([], "", {}),
        (["-w", "2"], "", {"GUNICORN_WORKERS": "2"}),
        (["--workers=2", "wsgi:app"], "--workers 3", {"GUNICORN_WORKERS": "2"}),
        ([], "--workers 3 --bind 0.0.0.0:1", {"GUNICORN_WORKERS": "3"}),
        (["-k", "eventlet"], "", {"ASYNC_MODE": "eventlet"}),
        (["--worker-class", OURS["eventlet"]], "", {"ASYNC_MODE": "eventlet"}),
        ([], "-k gthread", {"ASYNC_MODE": "threading"}),
        (["-k", "gevent"], "", {"ASYNC_MODE": "gevent"}),
        (["-k", OURS["gevent"]], "", {"ASYNC_MODE": "gevent"}),
        (["-k", "sync"], "", {"ASYNC_MODE": "sync"}),
        (
            ["--worker-connections", "50", "--max-requests", "7"],
            "",
            {"GUNICORN_WORKER_CONNECTIONS": "50", "GUNICORN_MAX_REQUESTS": "7"},
        ),
    ],
)
def test_what_gunicorn_is_told_is_a_setting(words, options, settings):
    found = told([GUNICORN, "-c", "gunicorn_config.py", *words], {"GUNICORN_CMD_ARGS": options})
    assert {name: value for name, (value, _) in found.items()} == settings


@pytest.mark.parametrize("path", [GUNICORN, "gunicorn", "/x/site-packages/gunicorn/__main__.py"])
def test_gunicorn_is_known_by_its_name(path):
    assert is_gunicorn([path])


@pytest.mark.parametrize("argv", [[], ["/x/bin/flask"], ["/x/bin/pytest", "-w", "2"], ["/gunicorn/run_web.py"]])
def test_the_words_of_other_programs_are_not_gunicorn_s(argv):
    assert told(argv, {}) == {}


def start(tmp_path, *words, **env):
    return ran(tmp_path, [sys.executable, "-m", "gunicorn", *words], **env)


def ran(tmp_path, command, **env):
    base = {**LEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "PORT": str(free_port())}
    return subprocess.run(
        command, cwd=ROOT, env={**base, **env}, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
    )


@pytest.mark.parametrize(
    ("words", "env", "name", "source"),
    [
        (["--workers", "99"], {}, "GUNICORN_WORKERS", "the command line"),
        (["--workers", "99"], {"GUNICORN_WORKERS": "1"}, "GUNICORN_WORKERS", "the command line"),
        ([], {"GUNICORN_CMD_ARGS": "-w 99"}, "GUNICORN_WORKERS", "GUNICORN_CMD_ARGS"),
        ([], {"WEB_CONCURRENCY": "99"}, "GUNICORN_WORKERS", "WEB_CONCURRENCY"),
        (["--worker-class", "sync"], {}, "ASYNC_MODE", "the command line"),
    ],
)
def test_what_the_rules_refuse_does_not_start_whoever_says_it(tmp_path, words, env, name, source):
    ended = start(tmp_path, "-c", "gunicorn_config.py", *words, "wsgi:app", **env)
    assert ended.returncode == 78
    assert f"{name} is what {source} says." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "app.db").exists()


@pytest.mark.parametrize("number", ["two", "", "-1", "1.5", "auto"])
def test_a_number_that_gunicorn_cannot_read_is_named_before_gunicorn_reads_it(tmp_path, number):
    """gunicorn reads it while it is imported, before its configuration: a traceback unless run_web.py looks first."""
    command = [sys.executable, "run_web.py"]
    ended = ran(tmp_path, command, WEB_CONCURRENCY=number)
    assert (ended.returncode, ended.stderr.count("\n")) == (78, 2)
    assert f"WEB_CONCURRENCY must be a whole number, not {number!r}" in ended.stderr
    assert "GUNICORN_WORKERS" in ended.stderr


def test_every_variable_that_a_library_cannot_read_is_named(tmp_path):
    wrong = dict.fromkeys(READ_BY_LIBRARIES, "x")
    found = unreadable({**wrong, "GUNICORN_CMD_ARGS": "--workers 'two"})
    assert [name for name, _ in found] == [*wrong, "GUNICORN_CMD_ARGS"]
    assert not unreadable({**dict.fromkeys(READ_BY_LIBRARIES, "3"), "GUNICORN_CMD_ARGS": "--workers 'two'"})
    folders = dict.fromkeys(METRICS_FOLDERS, str(tmp_path / "none"))
    assert [name for name, _ in unreadable(folders)] == list(METRICS_FOLDERS)
    assert not unreadable(dict.fromkeys(METRICS_FOLDERS, str(tmp_path)))
    ended = start(tmp_path, "-c", "gunicorn_config.py", "wsgi:app", LISTEN_FDS="x", GUNICORN_PID="x", **folders)
    assert ended.returncode == 78
    assert "GUNICORN_PID must be a whole number, not 'x'" in ended.stderr
    assert "LISTEN_FDS must be a whole number, not 'x'" in ended.stderr
    assert "PROMETHEUS_MULTIPROC_DIR is not a folder that can be written to" in ended.stderr
    assert "Traceback" not in ended.stderr


WRONG = {
    "EVENTLET_HUB": ("nonsense", "No module named 'eventlet.hubs.nonsense'"),
    "GEVENT_LOOP": ("nonsense", "Cannot import 'nonsense'"),
    "GEVENT_RESOLVER": ("nonsense", "Cannot import 'nonsense'"),
    "GEVENT_THREADPOOL": ("a.b", "No module named 'a'"),
    "GEVENT_FILE": ("", "Cannot import ''"),
    "GEVENT_BACKEND": ("nonsense", "nonsense"),
    "GEVENT_MAX_BLOCKING_TIME": ("soon", "could not convert string to float: 'soon'"),
    "GEVENT_MONITOR_MEMORY_MAX": ("much", "invalid literal for int()"),
    "GEVENT_TRACK_GREENLET_TREE": ("perhaps", "Invalid boolean string: 'perhaps'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_library_of_green_threads_cannot_use_is_named_with_its_reason(name):
    value, reason = WRONG[name]
    mode = name.partition("_")[0].lower()
    good = {**LEAN, "EVENTLET_NO_GREENDNS": "yes", "GEVENT_RESOLVER_TIMEOUT": "5"}
    [(named, said)] = libraries.unreadable(mode, {**good, name: value})
    assert named == name
    assert reason in said
    assert "\n" not in said


def test_good_variables_of_libraries_and_those_of_others_are_no_mistake():
    good = {"EVENTLET_HUB": "poll", "GEVENT_LOOP": "libev-cext", "GEVENT_RESOLVER": "block", "GEVENTARES_TRIES": "2"}
    for mode in ("eventlet", "gevent"):
        assert libraries.unreadable(mode, {**LEAN, **good}) == []
    assert libraries.unreadable("threading", {**LEAN, **{name: value for name, (value, _) in WRONG.items()}}) == []


@pytest.mark.parametrize(("mode", "name"), [("eventlet", "EVENTLET_HUB"), ("gevent", "GEVENT_LOOP")])
def test_a_start_with_what_a_library_cannot_use_ends_in_a_sentence(tmp_path, mode, name):
    ended = start(tmp_path, "-c", "gunicorn_config.py", "wsgi:app", ASYNC_MODE=mode, **{name: "nonsense"})
    assert ended.returncode == 78
    assert f"{name} is nothing that {mode} can use: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "app.db").exists()


def test_without_its_configuration_gunicorn_ends_with_one_sentence(tmp_path):
    ended = start(tmp_path, "--bind", f"127.0.0.1:{free_port()}", "--no-control-socket", "wsgi:app")
    assert ended.returncode != 0
    assert ended.stderr.count("use `gunicorn -c gunicorn_config.py wsgi:app`") == 1
    assert "Traceback" not in ended.stderr


def test_gevent_is_our_worker(serve):
    server = serve(command=[*SERVE[:-1], "--worker-class", "gevent", SERVE[-1]])
    assert "Using worker: gevent" in server.log
    assert 'async_mode="gevent"' in server.get("/metrics")[1]
    assert "gevent" not in Path(f"/proc/{server.pid}/maps").read_text()


def test_eventlet_is_our_worker_and_one_worker_stays_one(serve, wait_for):
    """WEB_CONCURRENCY, which some platforms set, gives way to a setting."""
    command = [*SERVE[:-1], "--worker-class", "eventlet", SERVE[-1]]
    server = serve(command=command, ASYNC_MODE="threading", WEB_CONCURRENCY="5", GUNICORN_WORKERS="1")
    assert "Using worker: eventlet" in server.log
    assert server.metric("app_workers") == 1
    assert server.json("/healthz")
    os.kill(server.pid, signal.SIGTTIN)
    wait_for(lambda: "More workers need GUNICORN_WORKERS" in server.log)
    assert len(server.workers()) == 1
    assert server.get("/livez")[0] == 200
