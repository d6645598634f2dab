"""Pieces of a job in processes: they crash, hang and raise alone, and end with whoever started them."""

import os
import signal
import threading
from pathlib import Path

import pytest

from chassis.jobs import JobContext, JobStopped, Processes, ProcessFailed, side_by_side
from chassis.jobs import processes as module
from chassis.jobs.process_child import NICENESS
from chassis.tests.patience import wait_until

WORK = """
import os, time

def made(word):
    def work(order):
        if order == "exit":
            os._exit(3)
        if order == "hang":
            time.sleep(600)
        if order == "raise":
            raise LookupError("a secret")
        return {"word": word, "order": order, "pid": os.getpid(), "nice": os.nice(0)}
    return work
"""


@pytest.fixture
def context():
    return JobContext("1", "work", 1, lambda *progress: None)


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Return a function that makes processes, all of which are ended after the test."""
    (tmp_path / "pieces.py").write_text(WORK)
    made, new = [], module._Process

    def noted(command):
        made.append(new(command))
        return made[-1]

    monkeypatch.setattr(module, "_Process", noted)
    yield lambda **options: Processes(tmp_path, "pieces:made", "hello", **({"most": 1, "seconds": 60} | options))
    for process in made:
        process.end()


def test_orders_are_answered_one_after_another_by_the_same_process(started, context):
    pool = started()
    first, second = pool.ask({"n": 1}, context), pool.ask({"n": 2}, context)
    assert (first["word"], first["order"], second["order"]) == ("hello", {"n": 1}, {"n": 2})
    assert first["pid"] == second["pid"] != os.getpid()
    assert first["nice"] == min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)


@pytest.mark.parametrize(
    "order, sentence, ended",
    [
        ("exit", "The process died.", True),
        ("hang", "It took longer than 0.5 s.", True),
        ("raise", "It failed with LookupError.", False),
    ],
)
def test_an_order_that_fails_is_told_and_the_next_one_is_answered(started, context, order, sentence, ended):
    pool = started(seconds=0.5 if order == "hang" else 60)
    before = pool.ask("good", context)["pid"]
    with pytest.raises(ProcessFailed) as told:
        pool.ask(order, context)
    assert told.value.message == sentence
    pool._seconds = 60
    assert (pool.ask("good", context)["pid"] != before) == ended


def test_a_large_order_that_is_read_slowly_arrives(started, context, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    large = "x" * 4_000_000
    assert started().ask(large, context)["order"] == large


def test_an_idle_process_that_died_is_replaced(started, context):
    pool = started()
    before = pool.ask("good", context)["pid"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not pool._idle[0].lives())
    assert pool.ask("good", context)["pid"] != before


def test_a_process_is_replaced_after_some_orders(started, context, monkeypatch):
    monkeypatch.setattr(module, "ORDERS", 2)
    pool = started()
    pids = [pool.ask("good", context)["pid"] for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_job_that_should_end_does_not_wait(started, context):
    pool = started()
    threading.Timer(0.1, context.stop, ["cancel"]).start()
    with pytest.raises(JobStopped):
        pool.ask("hang", context)


def test_a_process_ends_with_the_socket_of_whoever_started_it(started, context):
    pool = started()
    pid = pool.ask("good", context)["pid"]
    (process,) = pool._idle
    process._socket.close()
    wait_until(lambda: not process.lives(), f"process {pid} still runs")


def test_no_more_run_at_once_than_are_allowed_or_there_are_cores(started, context):
    pool = started(most=100)
    assert 1 <= pool.size <= (os.cpu_count() or 1)
    pids = set()
    side_by_side(context, range(20), lambda number: pids.add(pool.ask(number, context)["pid"]), 20)
    assert 1 <= len(pids) <= pool.size


def test_side_by_side_does_each_once_and_raises_the_first_error(context):
    seen = []
    side_by_side(context, range(100), seen.append, 5)
    assert sorted(seen) == list(range(100))
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        raise LookupError(number)

    with pytest.raises(LookupError):
        side_by_side(context, range(100), work, 3)
    assert len(begun) <= 3
    context.stop("cancel")
    with pytest.raises(JobStopped):
        side_by_side(context, [1], seen.append, 3)
    assert len(seen) == 100


def test_the_child_imports_nothing_of_the_application():
    text = Path(module.CHILD).read_text()
    assert "chassis" not in text.split('"""')[2]
