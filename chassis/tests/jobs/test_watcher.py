"""What other processes change is told here, each change once, however many change at the same moment."""

import time
from collections import Counter
from dataclasses import asdict

import pytest

from chassis.jobs import job, service, watcher
from chassis.jobs.signals import job_changed
from chassis.jobs.tables import jobs


@pytest.fixture
def told():
    """The ids that were told, with how often; a watcher that has been started remembers what was."""
    found = Counter()

    def note(changed):
        found[changed.id] += 1

    job_changed.connect(note)
    yield found
    job_changed.disconnect(note)


@pytest.fixture
def watching(database):
    one = watcher.Watcher()
    job_changed.connect(one._remember)  # as start() does; the test looks by itself
    yield one
    job_changed.disconnect(one._remember)


def stored(database, number):
    job("x")(lambda context, payload: None)
    made = [service.new_job("x", {}) for _ in range(number)]
    database.write(lambda conn: conn.execute(jobs.insert(), [asdict(one) for one in made]))
    return [one.id for one in made]


def change(database, ids, at):
    """Change rows in one statement, as another process does: their time is the same."""
    values = {"updated_at": at, "revision": jobs.c.revision + 1}
    database.write(lambda conn: conn.execute(jobs.update().where(jobs.c.id.in_(ids)).values(**values)))


def test_a_thousand_rows_that_change_at_once_are_all_told_once(database, watching, told):
    ids = stored(database, 1_300)
    watching.tick()
    assert told == Counter(ids)
    for later in range(3):
        change(database, ids[later * 100 :], time.time())
        watching.tick()
        watching.tick()
    assert told[ids[0]] == 2
    assert told[ids[-1]] == 4
    assert len(watching._seen) == 1_300


def test_what_changed_is_read_in_pieces(database, watching, told, monkeypatch):
    monkeypatch.setattr(watcher, "AT_ONCE", 10)
    ids = stored(database, 30)
    watching.tick()
    assert told == Counter(ids)
