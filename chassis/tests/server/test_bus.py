"""Managers of two workers on one ring: order, what stays here, and what happens to a worker that is too slow."""

from types import SimpleNamespace

import pytest

from chassis.server.patches.for_socketio import NUMBERED
from chassis.server.several import ring
from chassis.server.several.bus import BusRooms
from chassis.server.several.ring import BYTES, MAX_MESSAGE_BYTES
from chassis.tests.server.test_ring import held


class Connection:
    gone = False

    def go_away(self):
        self.gone = True


class Worker(BusRooms):
    """A manager that remembers what it would send, and its server's connections."""

    def __init__(self):
        super().__init__()
        self.connection, self.handled, self.sent, self.forgotten = Connection(), [], [], 0
        self.server = SimpleNamespace(eio=SimpleNamespace(sockets={"one": self.connection}, generate_id=lambda: "me"))
        self.server.send_event = lambda *sent: self.sent.append(sent)

    def _handle_emit(self, message):
        self.handled.append((message["event"], message.get("number")))

    def forget_before(self, number):
        self.forgotten = number


@pytest.fixture
def workers(tmp_path, monkeypatch):
    monkeypatch.setenv("_WORKERS_FOLDER", str(tmp_path))
    ring.create(tmp_path)
    made = []
    for number in ("1", "2"):
        monkeypatch.setenv("_WORKER_NUMBER", number)
        made.append(Worker())
    return made


def numbered(event, text=""):
    return {"method": "emit", "event": event, "data": [text], "room": "r", "host_id": "x", NUMBERED: True}


def test_numbered_events_reach_all_in_one_order_and_others_their_sender_once(workers):
    one, two = workers
    one._publish(numbered("first"))
    two._publish(numbered("second"))
    one.emit("plain", {}, room="r")
    for worker in workers:
        worker.catch_up()
    assert one.handled == [("first", 1), ("plain", None), ("second", 2)]
    assert two.handled == [("first", 1), ("second", 2), ("plain", None)]


def test_an_event_for_a_client_of_this_worker_takes_no_detour(workers):
    one, two = workers
    sid = one.pre_connect("engine", "/")
    one.connect(sid, "/")
    one.emit("hello", "you", room=sid)
    two.catch_up()
    assert [eio_sid for eio_sid, *_ in one.sent] == ["engine"]
    assert (one.handled, two.handled) == ([], [])


def test_changes_of_clients_wait_for_their_own_thread(workers):
    one, two = workers
    one._publish({"method": "disconnect", "sid": "a", "namespace": "/", "host_id": one.host_id})
    for worker in workers:
        worker.catch_up()
    assert next(two._listen())["sid"] == "a"
    assert one._later.empty()


def test_a_worker_that_missed_messages_lets_its_clients_connect_again(workers):
    one, two = workers
    for _ in range(BYTES // MAX_MESSAGE_BYTES + 2):
        one._publish(numbered("large", "x" * (MAX_MESSAGE_BYTES - 1000)))
    assert not one.connection.gone
    two.catch_up()
    assert two.connection.gone
    assert two.forgotten == two.handled[0][1] - 1 > 0


def test_messages_wait_while_another_worker_is_stopped_amid_its_own(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(ring, "RETRY_SECONDS", 0)
    one, two = workers
    with held(tmp_path):
        one.emit("plain", {}, room="r")
        one._publish(numbered("first"))
        assert one.handled == [("plain", None)]
    two._publish(numbered("other"))
    one._publish(numbered("last"))
    two.catch_up()
    assert two.handled == [("other", 1), ("plain", None), ("first", 3), ("last", 4)]
    assert one.handled == [("plain", None), ("other", 1), ("first", 3), ("last", 4)]


def test_no_more_waits_than_the_ring_holds(workers, tmp_path, monkeypatch):
    one, _ = workers
    with held(tmp_path), pytest.raises(RuntimeError, match="Too many messages wait"):
        for _ in range(BYTES // MAX_MESSAGE_BYTES + 1):
            one._publish(numbered("large", "x" * (MAX_MESSAGE_BYTES - 1000)))


def test_a_message_that_fails_does_not_stop_the_next(workers):
    one, two = workers
    one._publish({"method": "emit", "host_id": "x"})
    one._publish(numbered("next"))
    two.catch_up()
    assert two.handled == [("next", 2)]
