"""The log gives all that came after a number, or says that it cannot; it never grows without limit."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.realtime import event_log
from chassis.realtime.event_log import EventLog, SharedEventLog
from chassis.tests.fuzzing import fuzz


def numbers(entries):
    return None if entries is None else [entry.seq for entry in entries]


def test_what_came_after_a_number_is_given_in_order():
    log = EventLog(max_events=3, max_bytes=1000, seconds=60)
    assert log.since("a", 0) == []
    assert [log.append("a", "e", "{}").seq for _ in range(5)] == [1, 2, 3, 4, 5]
    assert log.append("b", "e", "{}").seq == 1
    assert [numbers(log.since("a", seq)) for seq in (1, 2, 3, 5, 6)] == [None, [3, 4, 5], [4, 5], [], None]


def test_a_log_of_nothing_knows_only_who_missed_nothing():
    log = EventLog(max_events=0, max_bytes=1000, seconds=60)
    log.append("a", "e", "{}")
    assert [numbers(log.since("a", seq)) for seq in (0, 1)] == [None, []]


def test_a_forgotten_room_never_gives_a_number_twice(monkeypatch):
    monkeypatch.setattr(event_log, "MAX_ROOMS", 2)
    log = EventLog(max_events=10, max_bytes=1000, seconds=60)
    for _ in range(4):
        log.append("a", "e", "{}")
    for room in ("b", "c"):
        log.append(room, "e", "{}")
    assert log.position("a") == 4
    log.append("d", "e", "{}")
    assert log.append("a", "e", "{}").seq == 5
    assert log.since("a", 3) is None


steps = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 40)), max_size=80)


@fuzz
@given(steps, st.integers(0, 6), st.integers(0, 100))
def test_whatever_is_published_a_replay_is_whole_or_refused(published, max_events, max_bytes):
    log = EventLog(max_events=max_events, max_bytes=max_bytes, seconds=60)
    sent: dict[str, list[str]] = {}
    for room, size in published:
        seq = log.append(room, "e", "x" * size).seq
        sent.setdefault(room, []).append("x" * size)
        assert seq == len(sent[room])
    assert sum(len(entry.text) for kept in log._kept.values() for entry in kept) == log._bytes <= max_bytes
    for room, texts in sent.items():
        for seq in range(-1, len(texts) + 2):
            missed = log.since(room, seq)
            assert missed is None or [entry.text for entry in missed] == texts[seq:]
        assert log.since(room, len(texts)) == []


def shared(**limits):
    return SharedEventLog(**({"max_events": 10, "max_bytes": 1000, "seconds": 60} | limits))


def test_numbers_of_several_workers_grow_over_all_rooms():
    log = shared(max_events=2)
    for seq, room in [(3, "a"), (4, "b"), (7, "a"), (9, "a")]:
        log.put(room, "e", "{}", seq)
    assert log.position("a") == log.position("new") == 9
    assert [numbers(log.since("a", seq)) for seq in (2, 3, 5, 7, 9, 10)] == [None, [7, 9], [7, 9], [9], [], None]
    assert numbers(log.since("b", 2)) == [4]


def test_what_a_worker_missed_is_known_in_no_room():
    log = shared()
    log.put("a", "e", "{}", 3)
    log.forget_before(8)
    assert [numbers(log.since("a", seq)) for seq in (3, 8)] == [None, []]
    log.put("a", "e", "{}", 9)
    assert numbers(log.since("a", 8)) == [9]


def test_the_next_event_shows_what_a_worker_missed_to_clients_that_are_here():
    log = shared()
    log.put("a", "e", "{}", 3)
    log.forget_before(8)
    assert log.put("a", "e", "{}", 9).after == 8


def test_a_shared_log_that_forgets_rooms_gives_no_half_replay(monkeypatch):
    monkeypatch.setattr(event_log, "MAX_ROOMS", 2)
    log = shared(max_events=0)
    for seq, room in enumerate("abcd", start=1):
        log.put(room, "e", "{}", seq)
    assert [numbers(log.since(room, 1)) for room in "abcd"] == [None] * 4
    assert numbers(log.since("a", 4)) == []
