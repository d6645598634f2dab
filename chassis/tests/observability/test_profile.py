"""`flask profile` against a server that computes: what it says, and what it writes."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from chassis.cli.profile import profile as command
from chassis.observability import flamegraph, profiling
from chassis.tests.conftest import CLEAN, ROOT, gunicorn, serving
from chassis.tests.documents import blocks
from chassis.tests.patience import LIMIT_SECONDS

COMMAND = gunicorn(Path(__file__).parent, "telemetry_app:app")
BURNS = "burning"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("profile")) as start:
        yield start(command=COMMAND, GUNICORN_TIMEOUT_SECONDS="120")  # a worker that computes gives no sign of life


def profile(*words, folder):
    words = [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "profile", *words]
    env = {**CLEAN, "APP_ENV": "test", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


def profiled(server, folder, *words):
    """Profile the worker while it computes; each form of the file from the same kind of run."""
    (pid,) = server.workers()
    end = folder / "end"
    load = threading.Thread(target=server.get, args=(f"/burn?until={end}",))
    load.start()
    done = profile("--pid", str(pid), *words, folder=folder)
    end.touch()
    load.join()
    end.unlink()
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_hub_that_is_stuck_is_seen_where_it_computes(server, tmp_path):
    """The loop answers nobody meanwhile in the green modes; a request's code is named with its share."""
    said = profiled(server, tmp_path, "--seconds", "2", "--to", "it.txt")
    assert "s of CPU time" in said
    assert BURNS in said
    stacks = [line.rpartition(" ") for line in (tmp_path / "it.txt").read_text().splitlines()]
    seen = sum(int(count) for stack, _, count in stacks if stack.split(";")[-1].startswith(BURNS))
    assert seen > 10
    assert all(stack.split(";")[0] for stack, _, _ in stacks)


@pytest.mark.long
def test_the_command_of_the_handbook_and_the_other_forms(server, tmp_path):
    (pid,) = server.workers()
    words = blocks("chassis/docs/operations.md", "Where a running process spends its time")[0].split()
    assert words[:2] == ["flask", "profile"]
    asked = [str(pid) if word == "1234" else "2" if word == "10" else word for word in words[2:]]
    profiled(server, tmp_path, *asked)
    page = (tmp_path / "profile.html").read_text()
    assert BURNS in page
    assert "<script" not in page
    found = json.loads(flamegraph.speedscope(profiling.ask(pid, 0.3)))
    names = [frame["name"] for frame in found["shared"]["frames"]]
    (sampled,) = found["profiles"]
    assert any(names[stack[0]] == profiling.MAIN for stack in sampled["samples"])
    assert sum(sampled["weights"]) == sampled["endValue"]


def test_a_process_that_is_none_of_ours_is_refused_in_a_sentence():
    done = CliRunner().invoke(command, ["--pid", "1"])
    assert done.exit_code == 1
    assert "Error: Process 1 cannot be profiled: no such process of this service runs here." in done.output


IN_A_THREAD = """
import json, os, socket, sys, threading, time
from chassis.observability import profiling
def without_lines(ended):
    while not ended:
        pass
ended = []
without_lines.__code__ = without_lines.__code__.replace(co_linetable=b"")
threading.Thread(target=without_lines, args=(ended,)).start()
profiling.listen()
first = profiling.ask(os.getpid(), 0.2)
assert any("without_lines" in stack[-1] for stack, _, _ in first["stacks"]), first
for asked in (b"no JSON", b"[1]", b'{"seconds": "many"}', b"{}"):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(profiling.address(os.getpid()))
        client.sendall(asked)
        assert "error" in json.loads(client.makefile().read())
sys._current_frames = lambda: 1 / 0
try:
    profiling.ask(os.getpid(), 0.1)
except OSError as error:
    print(error)
ended.append(True)
"""


def test_whatever_a_sample_meets_the_next_one_is_answered():
    command = [sys.executable, "-c", IN_A_THREAD]
    ran = subprocess.run(command, cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    assert ran.stdout == "ZeroDivisionError: division by zero\n", ran.stderr
