"""One worker speaks for all, until it hands on or ends."""

import subprocess
import sys

import pytest

from chassis.realtime.recovery import Streams
from chassis.server.several.speaker import Speaker
from chassis.tests.conftest import CLEAN, ROOT

PROGRAM = "from chassis.server.several.speaker import Speaker; print(Speaker().speaks(), flush=True); input()"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("_WORKERS_FOLDER", str(tmp_path))
    return tmp_path


def test_the_first_that_asks_speaks_until_it_hands_on():
    one, two = Speaker(), Speaker()
    assert [one.speaks(), two.speaks(), one.speaks()] == [True, False, True]
    one.hand_on()
    assert two.speaks()


def test_a_killed_worker_speaks_no_more(folder):
    env = {**CLEAN, "_WORKERS_FOLDER": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, env=env, **pipes) as other:
        assert other.stdout.readline() == b"True\n"
        one = Speaker()
        assert not one.speaks()
        other.kill()
    assert one.speaks()


def test_workers_that_share_no_numbers_speak_each_for_themselves():
    one, two = Streams(), Streams()
    assert one.speaks()
    assert two.speaks()
    for streams in (one, two):
        streams.share(lambda *_: None, lambda: None)
    assert [one.speaks(), two.speaks()] == [True, False]
