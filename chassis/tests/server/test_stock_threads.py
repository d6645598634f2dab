"""What other threads do while the stock server lets a client in, sends to it, or sees it leave."""

import threading
import time
from types import SimpleNamespace

import pytest
from simple_websocket import ConnectionClosed
from werkzeug.test import EnvironBuilder

from app import create_app
from chassis.db import db
from chassis.extensions import socketio
from chassis.observability.metrics import SOCKET_CONNECTIONS
from chassis.realtime import recovery
from chassis.server import packets
from chassis.server.stock import StockServer
from chassis.server.stock_websocket import receiving
from chassis.settings import Settings
from chassis.tests.conftest import new_database
from chassis.tests.patience import LIMIT_SECONDS, let_pass

EIO_SID = "session"


@pytest.fixture
def server(tmp_path):
    """The application's stock server in this process, with one session."""
    app = create_app(Settings(app_env="test", database_url=new_database(tmp_path)))
    server = socketio.server
    assert isinstance(server, StockServer)
    begin(server, app)
    yield server
    db.close()


def begin(server, app):
    """Begin a session as an HTTP request does, without one."""
    from engineio.socket import Socket

    server.eio.sockets[EIO_SID] = Socket(server.eio, EIO_SID)
    environ = EnvironBuilder(path="/socket.io/").get_environ() | {"flask.app": app, "REMOTE_ADDR": "127.0.0.1"}
    server._handle_eio_connect(EIO_SID, environ)


def queued(server):
    """Take the packets that wait for the client."""
    queue, found = server.eio.sockets[EIO_SID].queue, []
    while not queue.empty():
        found.append(queue.get().data)
    return found


def joined(server):
    """Join the main namespace and return the client's sid."""
    server._handle_eio_message(EIO_SID, "0")
    assert queued(server)[0].startswith("0{")
    return server.manager.sid_from_eio_sid(EIO_SID, "/")


def gauge():
    return SOCKET_CONNECTIONS._value.get()


def test_an_event_that_is_sent_while_held_ones_go_out_arrives_behind_them(server, monkeypatch):
    send_all, emit = server._send_all, lambda name: server.manager.emit(name, None, "/")
    late = ["late"]

    def send(eio_sid, outgoing):
        send_all(eio_sid, outgoing)
        if late and any("early" in packet.data for packet in outgoing):
            emit(late.pop())

    monkeypatch.setattr(server, "_send_all", send)
    ask = server._ask_connect_handler
    monkeypatch.setattr(server, "_ask_connect_handler", lambda *args: emit("early") or ask(*args))
    server._handle_eio_message(EIO_SID, "0")
    accepted, *events = queued(server)
    assert (accepted[:2], events) == ("0{", ['2["early"]', '2["late"]'])


def test_a_client_that_closes_while_it_is_sent_away_is_counted_out(server, monkeypatch):
    before, sid = gauge(), joined(server)
    assert gauge() == before + 1
    send_packet = server._send_packet

    def send_and_lose(eio_sid, packet):
        send_packet(eio_sid, packet)
        server._handle_eio_disconnect(eio_sid, "transport close")

    monkeypatch.setattr(server, "_send_packet", send_and_lose)
    server.disconnect(sid)
    assert gauge() == before
    assert (server._environ_of, server._let_in, server.environ) == ({}, set(), {})


def test_a_session_that_ends_before_its_connect_handler_is_asked_leaves_nothing(server, monkeypatch):
    before, pre_connect = gauge(), server.manager.pre_connect

    def register(eio_sid, namespace):
        sid = pre_connect(eio_sid, namespace)
        server._handle_eio_disconnect(eio_sid, "transport close")
        return sid

    monkeypatch.setattr(server.manager, "pre_connect", register)
    server._handle_eio_message(EIO_SID, "0")
    assert gauge() == before
    assert (server._environ_of, server._let_in, server._held, server.environ) == ({}, set(), {}, {})
    assert list(server.manager.get_participants("/", None)) == []


def test_a_publisher_does_not_run_the_disconnect_handlers_of_a_client_whose_ping_is_overdue(server, monkeypatch):
    sid = joined(server)
    monkeypatch.setitem(server.handlers["/"], "disconnect", lambda *_: recovery.deliver("room", "left", {}))
    server.manager.basic_enter_room(sid, "/", "room")
    server.eio.sockets[EIO_SID].last_ping = time.time() - server.eio.ping_timeout - 1
    publisher = threading.Thread(target=recovery.deliver, args=("room", "news", {}), daemon=True)
    publisher.start()
    publisher.join(LIMIT_SECONDS)
    assert not publisher.is_alive(), "the publisher waits for its own lock"


def test_nothing_comes_between_a_packet_and_its_attachments(server, monkeypatch):
    joined(server)
    send, began, seen = server._send_eio_packet, threading.Event(), []

    def other():
        began.wait(LIMIT_SECONDS)
        server._send_all(EIO_SID, packets.encode(packets.EVENT, "/", ["text"]))

    def send_slowly(eio_sid, packet):
        send(eio_sid, packet)
        began.set()
        seen.append(packet.data)
        let_pass(0.1)  # the other thread's chance, which it gets when nothing prevents it

    monkeypatch.setattr(server, "_send_eio_packet", send_slowly)
    thread = threading.Thread(target=other)
    thread.start()
    server._send_all(EIO_SID, packets.encode(packets.EVENT, "/", ["bytes", b"1", b"2"]))
    thread.join()
    assert [isinstance(data, bytes) for data in queued(server)] == [False, True, True, False]


def test_a_wait_that_misses_the_end_of_a_websocket_looks_again():
    said = iter([None, ConnectionClosed(1009)])

    class Ended:
        def receive(self, timeout):
            answer = next(said)
            if answer is not None:
                raise answer

    wait = receiving(SimpleNamespace(ws=Ended()), 0, LIMIT_SECONDS)
    assert wait() is None
    assert next(said, "asked twice") == "asked twice"
