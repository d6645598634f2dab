"""The log of a real server: gunicorn's, the application's and the access lines together."""

import json
from collections import Counter

from chassis.tests.patience import wait_until


def test_a_servers_every_line_is_json_and_comes_once(shared):
    server = shared
    server.get("/nothing?token=hush", {"X-Request-ID": "seen-1"})
    server.get("/livez")
    server.get("/socket.io/?EIO=4&transport=polling", {"Origin": "http://evil.example"})
    server.get("/socket.io/?EIO=4&transport=polling&sid=none")
    server.get("/nothing", {"X-Request-ID": "seen-2"})
    wait_until(lambda: "seen-2" in server.log)
    lines = server.log.rpartition("\n")[0].splitlines()
    assert max(Counter(lines).values()) == 1
    events = [json.loads(line) for line in lines]
    (access,) = [event for event in events if event.get("request_id") == "seen-1"]
    assert (access["path"], access["status"], access["method"]) == ("/nothing", 404, "GET")
    assert "hush" not in server.log
    assert any(event["logger"] == "gunicorn.error" and "Serving on" in event["event"] for event in events)
    assert not any(event.get("path") == "/livez" for event in events)
