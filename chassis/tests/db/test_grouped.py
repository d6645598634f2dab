"""Writes of many threads at once share transactions, and one that fails fails alone."""

import threading
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from chassis.db import grouped as grouped_module
from chassis.db.faults import too_busy
from chassis.db.grouped import Grouped
from chassis.tests.patience import LIMIT_SECONDS, wait_until


class Writer:
    """Writes numbers; the first group waits until it may go on."""

    def __init__(self):
        self.groups, self.written, self.go_on = [], [], threading.Event()
        self.grouped = Grouped(self.write)

    def write(self, group):
        self.groups.append(len(group))
        if len(self.groups) == 1:
            assert self.go_on.wait(LIMIT_SECONDS)
        if any(one["bad"] for one in group):
            raise ValueError("bad")
        self.written += [one["number"] for one in group]


@pytest.mark.parametrize("bad", [(), (3, 5)])
def test_items_that_come_during_a_write_are_written_together(bad):
    writer, refused = Writer(), []

    def submit(number):
        try:
            writer.grouped.submit({"number": number, "bad": number in bad})
        except ValueError:
            refused.append(number)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(20)]
    threads[0].start()
    wait_until(lambda: writer.groups)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(writer.grouped._waiting) == 19)
    writer.go_on.set()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    assert sorted(writer.written) == [number for number in range(20) if number not in bad]
    assert sorted(refused) == list(bad)
    assert writer.groups[:2] == [1, 19]


def test_what_comes_alone_is_written_at_once_and_after_several_a_group_waits_for_more(monkeypatch):
    rests, rested = [], threading.Event()

    def sleep(seconds):
        rests.append(seconds)
        assert not seconds or rested.wait(LIMIT_SECONDS)

    monkeypatch.setattr(grouped_module, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: 100.0))
    writer, items = Writer(), [{"number": number, "bad": False} for number in range(9)]
    writer.go_on.set()
    for item in items[:2]:
        writer.grouped.submit(item)
    writer.grouped.later(items[2])
    writer.grouped.submit(items[3])  # a group of two
    threads = [threading.Thread(target=writer.grouped.submit, args=(item,)) for item in items[4:]]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(writer.grouped._waiting) == len(threads))
    rested.set()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    assert writer.groups == [1, 1, 2, 5]
    assert rests == pytest.approx([0, 0, 0, grouped_module.LEAST_SECONDS])


def test_what_is_left_for_later_goes_with_the_next():
    writer = Writer()
    writer.go_on.set()
    writer.grouped.later({"number": 1, "bad": False})
    writer.grouped.submit({"number": 2, "bad": False})
    assert (writer.groups, writer.written) == ([2], [1, 2])


def test_a_database_that_is_busy_is_asked_once_for_all_that_wait():
    groups, refused, go_on = [], [], threading.Event()

    def write(group):
        groups.append(len(group))
        assert go_on.wait(LIMIT_SECONDS)
        raise too_busy()

    def submit(number):
        try:
            grouped.submit({"number": number})
        except OperationalError:
            refused.append(number)

    grouped = Grouped(write)
    threads = [threading.Thread(target=submit, args=(number,)) for number in range(20)]
    threads[0].start()
    wait_until(lambda: groups)
    grouped.later({"number": 20})
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(grouped._waiting) == 20)
    go_on.set()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    assert groups == [1, 20]
    assert sorted(refused) == list(range(20))
    assert grouped._waiting == [{"number": 20}]
