"""What one worker appends, all read in one order; who is too slow learns it; a killed writer harms nobody."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from chassis.server.several import ring
from chassis.server.several.ring import MAX_MESSAGE_BYTES, Ring
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import wait_until

WRITER = """
import sys
from chassis.server.several.outbox import Outbox
from chassis.server.several.ring import Ring
outbox = Outbox(Ring(), lambda: None)
for number in range(int(sys.argv[2])):
    outbox.put(f"{sys.argv[1]} {number} ".encode() + b"x" * (number % 3000))
    if number == 0:
        print("begun", flush=True)
while outbox._waiting:  # on a machine so busy that another one did not run while it held the lock
    outbox.send()
"""


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """Messages in a folder of this test."""
    monkeypatch.setenv("_WORKERS_FOLDER", str(tmp_path))
    ring.create(tmp_path)
    return tmp_path


def writer(memory, name, count):
    env = {**CLEAN, "_WORKERS_FOLDER": str(memory)}
    command = [sys.executable, "-c", WRITER, name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE)


def rest(reader):
    found = []
    while messages := reader.read():
        found += messages
    return found


def test_all_read_the_same_in_one_order(memory):
    one, two = Ring(), Ring()
    assert one.read() == []
    assert [one.append(b"a"), two.append(b""), one.append(b"c")] == [1, 2, 3]
    assert rest(one) == rest(two) == [(1, b"a"), (2, b""), (3, b"c")]
    assert one.read() == []


def test_a_worker_that_starts_later_reads_what_is_still_there(memory):
    writes = Ring()
    writes.append(b"before")
    assert rest(Ring()) == [(1, b"before")]


def test_the_oldest_make_room_and_who_was_too_slow_learns_it(memory):
    slow, writes = Ring(), Ring()
    for number in range(10):
        writes.append(bytes([number]) * MAX_MESSAGE_BYTES)
    found = rest(slow)
    assert slow.lost == found[0].number - 1 > 0
    assert [message.number for message in found] == list(range(found[0].number, 11))
    assert all(message.text == bytes([message.number - 1]) * MAX_MESSAGE_BYTES for message in found)
    assert rest(Ring()) == found


def test_a_message_that_is_too_large_is_refused(memory):
    with pytest.raises(ValueError, match="2,097,152 bytes"):
        ring.check(b"x" * (MAX_MESSAGE_BYTES + 1))
    ring.check(b"x" * MAX_MESSAGE_BYTES)


def test_messages_of_many_processes_are_whole_and_in_the_order_of_each(memory):
    reader, found = Ring(), []
    writers = [writer(memory, name, 1500) for name in "ab"]
    while any(one.poll() is None for one in writers) or len(found) < 3000:
        with contextlib.suppress(TimeoutError):
            found += reader.read()
    assert [message.number for message in found] == list(range(1, 3001))
    for name in "ab":
        words = [message.text.split(b" ") for message in found if message.text.startswith(name.encode())]
        assert [int(number) for _, number, _ in words] == list(range(1500))
        assert all(len(filling) == int(number) % 3000 for _, number, filling in words)


def test_a_writer_that_is_killed_leaves_the_rest_whole(memory):
    killed = writer(memory, "k", 10**9)
    killed.stdout.readline()
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    last = Ring().append(b"after")
    wait_until(lambda: rest(Ring())[-1] == (last, b"after"))


def test_a_stopped_writer_does_not_stop_the_others(memory, monkeypatch):
    monkeypatch.setattr(ring, "RETRY_SECONDS", 0)
    one = Ring()
    one.append(b"before")
    with held(memory):
        with pytest.raises(TimeoutError):
            one.append(b"lost")
        with pytest.raises(TimeoutError):
            one.read()
    one.append(b"after")
    assert rest(one) == [(1, b"before"), (2, b"after")]


@contextlib.contextmanager
def held(memory):
    """Hold the lock as a worker that is stopped while it writes."""
    file = os.open(memory / ring.FILE, os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)
