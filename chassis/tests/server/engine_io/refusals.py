"""What the server answers to a request or a session that it refuses."""

import json

from chassis.tests.server.wire import Wire


def refusal(port, method, path, headers=None, body=b""):
    """Return (status, code) of a request, whose body has to be an error of Engine.IO."""
    status, answered, said = Wire(port).request(method, path, headers, body).answer()
    assert answered["content-type"] == "application/json", said
    error = json.loads(said)
    assert set(error) == {"code", "message"} and error["message"]
    return status, error["code"]


def gone(polling):
    status, said = polling.get()
    return (status, json.loads(said)["code"]) == (400, 1)
