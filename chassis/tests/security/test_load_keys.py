"""Keys without limits: a load test with one meets no limit of a server in production, whose limits stay for others."""

import json
import os
import secrets
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import socketio

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ask, flask

ADMIN, CLIENT = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
PATH, HANDSHAKE = "/api/admin/load-keys", "/socket.io/?EIO=4&transport=polling"
LIMIT = 40  # requests an hour, of which this module's tests make fewer with the admin's key
MORE = LIMIT + 5
PRODUCTION = {
    "APP_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ADMIN_API_KEY": ADMIN,
    "CLIENT_API_KEYS": CLIENT,
    "RATE_LIMIT_DEFAULT": f"{LIMIT} per hour",
    "RATE_LIMIT_BURST": "1000 per second",
    "SOCKET_MAX_CONNECTIONS_PER_ADDRESS": "2",
    "SOCKET_MAX_UNJOINED_PER_ADDRESS": "2",
    "SOCKET_EVENTS_PER_SECOND": "0.001",
    "SOCKET_EVENTS_BURST": "1",
    "SOCKET_EVENTS_PER_SECOND_PER_PRINCIPAL": "0.001",
    "TRUSTED_PROXIES": "127.0.0.1",
}
COMMAND = """
import os, sys, urllib.request
for _ in range(int(sys.argv[2])):
    asked = urllib.request.Request(sys.argv[1] + "/api/where", headers={"X-API-Key": os.environ["LOAD_KEY"]})
    urllib.request.urlopen(asked, timeout=float(sys.argv[3])).read()
"""
WAITS = """
import signal
print("waits", flush=True)
raise SystemExit(signal.sigwait({signal.SIGINT, signal.SIGTERM}))
"""
BLOCKED = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})" + WAITS
pytestmark = pytest.mark.server


@pytest.fixture
def site(limits_app):
    """A server in production, with its limits on."""
    return limits_app(**PRODUCTION)


@pytest.fixture
def load_key(site):
    """A key without limits, made over HTTP."""
    made = ask(site, PATH, "POST", X_API_Key=ADMIN)
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    yield made.json["key"]
    flask(site, "keys", "expire", made.json["id"], "--in", "0s")


def keys(site):
    return json.loads(flask(site, "keys", "list", "--json"))


def connect(site, key, address):
    client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    headers = {"X-API-Key": key, "X-Forwarded-For": address}
    options = {"transports": ["websocket"], "wait_timeout": LIMIT_SECONDS}
    client.connect(site.url, headers=headers, auth={"key": key}, **options)
    return client


def test_without_such_a_key_the_limits_hold(site):
    shown = {"X_API_Key": CLIENT, "X_Forwarded_For": "198.51.100.1"}
    assert [ask(site, "/api/where", **shown).status for _ in range(MORE)] == [200] * LIMIT + [429] * 5
    opened = [ask(site, HANDSHAKE, **shown | {"X_Forwarded_For": "198.51.100.2"}).status for _ in range(3)]
    assert opened == [200, 200, 503]


def test_with_it_no_request_and_no_route_is_refused(site, load_key):
    shown = {"X_API_Key": load_key, "X_Forwarded_For": "198.51.100.3"}
    answers = [ask(site, "/api/where", **shown) for _ in range(MORE)]
    assert {answer.status for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[-1].headers
    assert [ask(site, "/api/dear", **shown).status for _ in range(4)] == [200] * 4
    assert ask(site, "/api/usage", **shown).json["items"] == []
    assert ask(site, "/api/where", X_Forwarded_For="198.51.100.3").headers["RateLimit-Remaining"] == str(LIMIT - 1)


def test_with_it_no_handshake_and_no_event_is_refused_and_its_address_keeps_its_own(site, load_key):
    address = "198.51.100.4"
    clients = [connect(site, load_key, address) for _ in range(4)]
    assert [client.call("echo", n) for n in range(3) for client in clients] == [0] * 4 + [1] * 4 + [2] * 4
    shown = {"X_API_Key": load_key, "X_Forwarded_For": address}
    assert [ask(site, HANDSHAKE, **shown).status for _ in range(MORE)] == [200] * MORE
    others = {"X_Forwarded_For": address}
    assert [ask(site, HANDSHAKE, **others).status for _ in range(3)] == [200, 200, 503]
    assert [ask(site, HANDSHAKE, **others).status for _ in range(LIMIT - 2)][-1] == 429
    for client in clients:
        client.disconnect()


def test_only_an_admin_makes_and_revokes_one_and_it_is_none(site, load_key):
    shown = {"X_Forwarded_For": "198.51.100.5"}
    key_id = load_key.split("_")[1]
    for asked in ((PATH, "POST"), (f"{PATH}/{key_id}", "DELETE"), ("/admin/keys", "GET")):
        assert ask(site, *asked, **shown).status == 401
        assert ask(site, *asked, **shown, X_API_Key=load_key).status == 403
    usual = flask(site, "keys", "create", "usual", "--scope", "submit")
    assert ask(site, PATH, "POST", **shown, X_API_Key=usual).json["error"]["code"] == "missing_scope"
    assert ask(site, f"{PATH}/{usual.split('_')[1]}", "DELETE", X_API_Key=ADMIN).status == 404
    assert f"{key_id} load test (submit, without limits)" in flask(site, "audit", "list")
    free = {key["id"] for key in keys(site) if key["without_limits"]}
    assert key_id in free
    assert usual.split("_")[1] not in free


def test_a_revoked_one_is_refused_and_its_handshakes_count(site):
    made, address = ask(site, PATH, "POST", X_API_Key=ADMIN).json, "198.51.100.6"
    client = connect(site, made["key"], address)
    gone = []
    client.on("disconnect", lambda *_: gone.append(True))
    assert ask(site, f"{PATH}/{made['id']}", "DELETE", X_API_Key=ADMIN).status == 200
    wait_until(lambda: gone, "its socket stays")
    shown = {"X_API_Key": made["key"], "X_Forwarded_For": address}
    assert ask(site, "/api/where", **shown).status == 401
    assert [ask(site, HANDSHAKE, **shown).status for _ in range(3)] == [200, 200, 503]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "must expire within a day"),
        (("--expires", "25h"), "must expire within a day"),
        (("--expires", "1h", "--scope", "admin"), "cannot have the scope admin"),
        (("--expires", "1h", "--owner", "ada@example.org"), "an owner"),
    ],
)
def test_one_that_would_last_or_could_do_more_is_not_made(site, words, said):
    assert said in flask(site, "keys", "create", "load", "--without-limits", *words, status=1)


def test_one_that_was_made_by_hand_cannot_be_extended(site):
    key = flask(site, "keys", "create", "load", "--without-limits", "--expires", "1h")
    assert "cannot be extended" in flask(site, "keys", "expire", key, "--in", "2h", status=1)
    assert "without limits" in flask(site, "keys", "list")
    flask(site, "keys", "expire", key, "--in", "0s")


def begin(site, *command, key=ADMIN):
    """Start a command as `make load` does, with a key of its own."""
    words = [sys.executable, "deploy/load_key.py", site.url, "60", sys.executable, "-c", *command]
    options = {"cwd": ROOT, "env": CLEAN | {"LOAD_KEY": key}, "text": True, "stdout": subprocess.PIPE}
    return subprocess.Popen(words, stderr=subprocess.PIPE, **options)


def ended(running):
    said, complaint = running.communicate(timeout=LIMIT_SECONDS)
    return running.returncode, said + complaint


def test_a_command_has_no_limits_and_its_key_is_gone_afterwards(site):
    before = {key["id"] for key in keys(site)}
    assert ended(begin(site, COMMAND, site.url, str(MORE), str(LIMIT_SECONDS))) == (0, "")
    (made,) = [key for key in keys(site) if key["id"] not in before]
    assert (made["state"], made["scopes"], made["without_limits"]) == ("revoked", ["submit"], True)


def test_a_key_of_another_scope_is_left_as_it_is_and_the_limits_count(site):
    usual = flask(site, "keys", "create", "usual", "--rate", "0.001")
    status, said = ended(begin(site, COMMAND, site.url, "2", str(LIMIT_SECONDS), key=usual))
    assert status == 1
    assert "the limits of the instance apply" in said
    assert "429" in said


def test_what_a_command_fails_with_is_passed_on_and_its_key_is_gone(site):
    assert ended(begin(site, "raise SystemExit(7)")) == (7, "")
    assert keys(site)[0]["state"] == "revoked"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_interrupted_ends_in_order_and_its_key_is_gone(site, number):
    running = begin(site, BLOCKED)
    assert running.stdout.readline() == "waits\n"
    assert keys(site)[0]["state"] == "good"
    running.send_signal(number)
    assert ended(running) == (signal.SIGINT, "")
    assert keys(site)[0]["state"] == "revoked"


def test_a_key_whose_command_was_killed_ends_within_the_hour(site):
    running = begin(site, BLOCKED)
    assert running.stdout.readline() == "waits\n"
    children = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True, check=True).stdout
    running.kill()
    os.kill(int(children), signal.SIGKILL)
    ended(running)
    left = keys(site)[0]
    assert left["state"] == "good"
    assert datetime.fromisoformat(left["expires_at"]) < datetime.now(UTC) + timedelta(hours=1)
    flask(site, "keys", "expire", left["id"], "--in", "0s")


def test_a_wrong_key_makes_none_and_the_command_is_not_run(site):
    status, said = ended(begin(site, "print('run')", key="ak_wrong"))
    assert (status, said) == (1, "No key without limits was created: 401 The API key is not valid.\n")
