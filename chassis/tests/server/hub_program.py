"""What the worker and the transport rely on in a hub: `python -m chassis.tests.server.hub_program MODE CHECK`."""

import sys
from typing import Any

LIMIT_SECONDS = 60


def pair() -> tuple[Any, Any]:
    """Return two connected green sockets."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return socket.create_connection(listener.getsockname()), listener.accept()[0]


def callbacks_run_in_the_hub(hub: Any) -> None:
    from greenlet import getcurrent

    seen = []
    hub.later(0.01, lambda name: seen.append((name, getcurrent() is hub.greenlet)), "later")
    hub.soon(lambda name: seen.append((name, getcurrent() is hub.greenlet)), "soon")
    assert seen == []
    while len(seen) < 2:
        hub.sleep(0.01)
    assert seen == [("soon", True), ("later", True)]


def a_watch_lasts_until_it_is_stopped(hub: Any) -> None:
    ours, theirs = pair()
    got, descriptor = [], ours.fileno()
    watch = hub.reading(descriptor, lambda which: got.append((which, hub.raw(ours).recv(9))), None)
    for data in (b"one", b"two"):
        theirs.sendall(data)
        while not got or got[-1][1] != data:
            hub.sleep(0.01)
    hub.stop(watch)
    hub.stop(watch)
    theirs.sendall(b"three")
    hub.wait_readable(ours, LIMIT_SECONDS)
    assert got == [(descriptor, b"one"), (descriptor, b"two")]


def a_writer_is_called_when_there_is_room(hub: Any) -> None:
    ours, _theirs = pair()
    called = []
    watch = hub.writing(ours.fileno(), called.append, None)
    while not called:
        hub.sleep(0.01)
    hub.stop(watch)
    assert called[0] == ours.fileno()


def a_turn_is_enough_for_a_connection(hub: Any) -> None:
    ours, theirs = pair()
    got, turns = [], 0
    hub.reading(ours.fileno(), lambda _: got.append(hub.raw(ours).recv(9)), None)
    hub.sleep(0.01)
    theirs.sendall(b"data")
    while not got:
        hub.sleep(0)
        turns += 1
    assert turns <= 3, turns


def a_wait_ends_with_data_or_in_time(hub: Any) -> None:
    ours, theirs = pair()
    try:
        hub.wait_readable(ours, 0.01)
    except TimeoutError:
        pass
    else:
        raise AssertionError("there was no data")
    theirs.sendall(b"data")
    hub.wait_readable(ours, LIMIT_SECONDS)
    hub.wait_writable(ours, LIMIT_SECONDS)
    assert hub.raw(ours).recv(9) == b"data"
    try:
        hub.raw(ours).recv(9)
    except BlockingIOError:
        return
    raise AssertionError("a raw socket waited")


def a_connection_that_another_process_has_is_forgotten(hub: Any) -> None:
    import os
    from pathlib import Path

    ours, _theirs = pair()
    try:
        hub.wait_readable(ours, 0.01)
    except TimeoutError:
        os.dup(ours.fileno())
    descriptor = ours.fileno()
    hub.forget(ours)
    ours.close()
    polls = [path.name for path in Path("/proc/self/fd").iterdir() if "eventpoll" in str(path.resolve())]
    watched = [
        line.split()[1]
        for poll in polls
        for line in Path("/proc/self/fdinfo", poll).read_text().splitlines()
        if line.startswith("tfd:")
    ]
    assert polls
    assert str(descriptor) not in watched


def a_time_limit_leaves_its_block(hub: Any) -> None:
    with hub.time_limit(0.01):
        hub.sleep(LIMIT_SECONDS)
        raise AssertionError("the block went on")
    with hub.time_limit(LIMIT_SECONDS):
        hub.sleep(0)


def an_event_wakes_a_green_thread(hub: Any) -> None:
    events, got = [hub.event(), hub.event()], []
    hub.spawn(lambda: got.append(events[0].wait()) or events[1].send("back"))
    hub.later(0, events[0].send, "there")
    assert events[1].wait() == "back"
    assert got == ["there"]


CHECKS = {work.__name__: work for name, work in list(globals().items()) if name.startswith(("a_", "an_", "callbacks"))}

if __name__ == "__main__":
    if sys.argv[1] == "eventlet":
        from chassis.server.patches.for_eventlet import patch_standard_library

        patch_standard_library()
    else:
        from chassis.server.patches.for_gevent import patch_standard_library

        patch_standard_library()
    from chassis.server.hub import current

    found = current()
    assert type(found).__module__ == f"chassis.server.hub_{sys.argv[1]}"
    CHECKS[sys.argv[2]](found)
    print("done")
