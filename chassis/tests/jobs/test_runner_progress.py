"""The progress of jobs is stored and told, and a full database does not end the runner."""

import threading
from types import SimpleNamespace

from chassis import jobs
from chassis.tests.jobs.stored import FOREVER, state


def test_progress_is_stored_and_told_at_most_ten_times_a_second(runner, wait_for, monkeypatch):
    from chassis.jobs.signals import job_changed

    told, clock = [], SimpleNamespace(now=1.0)
    monkeypatch.setattr("chassis.jobs.caretaker.LOOK_SECONDS", FOREVER)
    monkeypatch.setattr("chassis.jobs.context.time", SimpleNamespace(monotonic=lambda: clock.now))

    def note(job):
        told.append(job.done)

    @jobs.job("steps")
    def steps(context, payload):
        for number in range(1, 51):
            context.progress(number, 50, f"step {number}")
            clock.now += 0.01

    with job_changed.connected_to(note):
        runner()
        job = jobs.enqueue("steps", {})
        wait_for(lambda: state(job) == "succeeded")
    found = jobs.get(job.id)
    assert (found.done, found.total, found.message) == (50, 50, "step 50")
    assert 4 < len(told) < (clock.now - 1) * 10 + 8


def test_a_message_that_cannot_be_stored_is_repaired(runner, wait_for):
    @jobs.job("message")
    def message(context, payload):
        context.progress(1, 1, "half \ud83d and null \x00")

    runner()
    job = jobs.enqueue("message", {})
    wait_for(lambda: state(job) in ("succeeded", "failed"))
    found = jobs.get(job.id)
    assert (found.state, found.message) == ("succeeded", "half \ufffd and null \ufffd")


def test_of_several_threads_the_furthest_progress_counts(runner, wait_for):
    @jobs.job("threads")
    def threads(context, payload):
        def tell(numbers):
            for number in numbers:
                context.progress(number, 1000)

        tellers = [threading.Thread(target=tell, args=(range(first, 1001, 4),)) for first in (1, 2, 3, 4)]
        for teller in reversed(tellers):
            teller.start()
        for teller in tellers:
            teller.join()
        context.progress(998, 1000)

    runner()
    job = jobs.enqueue("threads", {})
    wait_for(lambda: state(job) == "succeeded")
    assert (jobs.get(job.id).done, jobs.get(job.id).total) == (1000, 1000)


def test_a_full_database_does_not_end_the_runner(runner, wait_for, database, monkeypatch):
    jobs.job("quick")(lambda context, payload: None)
    one = runner()
    write, refused = database.write, []

    def refuse(work):
        refused.append(work)
        raise OSError("No space left on device")

    monkeypatch.setattr(database, "write", refuse)
    wait_for(lambda: len(refused) >= 2)  # it has tried again after the first
    monkeypatch.setattr(database, "write", write)
    job = jobs.enqueue("quick", {})
    wait_for(lambda: state(job) == "succeeded")
    assert one.problem() is None
