"""Keys: made by the command, taken at both doors, ended while somebody holds them."""

import json
import shlex

import pytest
import socketio

from chassis.errors import SettingsError
from chassis.security.keyring import LOOK_AGAIN_SECONDS
from chassis.settings.loading import load_settings
from chassis.tests.conftest import TRANSPORTS, gunicorn
from chassis.tests.documents import blocks
from chassis.tests.patience import LIMIT_SECONDS, let_pass
from chassis.tests.security import conftest
from chassis.tests.security.conftest import ADMIN, BODIES_APP, CLIENT, GUARDED, OTHER
from chassis.tests.server import wire


@pytest.fixture
def guarded(attacked):
    """A server that asks for keys."""
    return attacked


@pytest.fixture(params=TRANSPORTS)
def listening(request, shared_with):
    """The same under each transport in turn."""
    return shared_with(command=tuple(BODIES_APP), SOCKET_TRANSPORT=request.param, AUTH_FAILURE_LIMIT="", **GUARDED)


def flask(server, *words: str, status: int = 0) -> str:
    """Type a command beside the server."""
    said = conftest.flask(server, *words, status=status)
    let_pass(LOOK_AGAIN_SECONDS)  # then the server looks whether anything has changed
    return said


def ask(server, key: str, path: str = "/api/jobs", name: str = "X-API-Key") -> int:
    return server.get(path, {name: key})[0]


def socket(server, key: str):
    return join(server, {"key": key})


def join(server, auth):
    client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    client.ended = []
    client.on("disconnect", lambda *_: client.ended.append(True))
    client.connect(server.url, auth=auth, transports=["websocket"], wait_timeout=LIMIT_SECONDS)
    return client


def test_both_doors_ask_for_a_key_and_health_does_not(guarded):
    server = guarded
    status, text = server.get("/api/jobs")
    assert (status, json.loads(text)["error"]["code"]) == (401, "unauthorized")
    assert server.get("/api/jobs", {"X-API-Key": "wrong"})[0] == 401
    assert server.get("/")[0] == 401
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/static/app.css", "/robots.txt"):
        assert server.get(path)[0] == 200, path
    for key in (ADMIN, CLIENT, OTHER):
        assert ask(server, key) == 200
        assert ask(server, f"Bearer {key}", name="Authorization") == 200
    for auth in (None, {}, {"key": "wrong"}, {"key": 1}):
        with pytest.raises(socketio.exceptions.ConnectionError):
            join(server, auth)
    opcode, said = wire.open_session(server.port)[0].text('40"text"').read()
    assert opcode == wire.CLOSE or said.startswith(b"44"), "text is no auth: it breaks the protocol, or is refused"
    client = socket(server, CLIENT)
    assert client.call("job:subscribe", {"id": "none"})["error"]["code"] == "not_found"
    client.disconnect()
    assert CLIENT not in server.log
    assert ADMIN not in server.log


def test_a_key_is_made_used_and_revoked_which_ends_its_sockets_and_requests(guarded, wait_for):
    server = guarded
    key = flask(server, "keys", "create", "line 4", "--scope", "read", "--owner", "ada@example.org", "--expires", "9d")
    assert ask(server, key) == 200
    assert server.request("POST", "/api/nothing", b"", {"X-API-Key": key})[0] == 404
    client, other = socket(server, key), socket(server, CLIENT)
    key_id = key.split("_")[1]
    wait_for(lambda: json.loads(flask(server, "keys", "list", "--json"))[0]["use_count"] >= 2)
    shown = json.loads(flask(server, "keys", "list", "--json"))[0]
    assert (shown["id"], shown["name"], shown["owner"], shown["state"]) == (key_id, "line 4", "ada@example.org", "good")
    assert shown["last_used_at"]
    assert key not in flask(server, "keys", "list") + flask(server, "audit", "list")
    assert f"ak_{key_id} is revoked" in flask(server, "keys", "revoke", f"ak_{key_id}")
    assert ask(server, key) == 401
    wait_for(lambda: client.ended)
    assert other.connected
    other.disconnect()
    actions = [json.loads(line) for line in flask(server, "audit", "list", "--json", "--limit", "2").splitlines()]
    assert [(a["action"], a["actor"]) for a in actions] == [("key.revoke", "operator"), ("key.create", "operator")]
    assert "no key" in flask(server, "keys", "revoke", key_id, status=1)


@pytest.mark.parametrize("name", ["disconnect", "connect"])
def test_no_event_keeps_a_client_on_when_its_key_is_revoked(listening, name):
    key = flask(listening, "keys", "create", f"says {name}", "--scope", "read")
    member, liar = (wire.open_session(listening.port)[0].text(f'40{{"key":"{key}"}}') for _ in range(2))
    assert [client.read_text()[:3] for client in (member, liar)] == ["40{", "40{"]
    liar.text(f'42["{name}"]')
    while liar.read()[0] != wire.CLOSE:
        continue
    flask(listening, "keys", "revoke", key.split("_")[1])
    assert member.read_text() == "41"
    member.text('421["job:subscribe",{"id":"x"}]', f'40{{"key":"{key}"}}')
    assert member.read_text().startswith("44"), "an event of a revoked client is answered"
    member.end()


def test_the_commands_of_the_operators_document_are_typed(guarded):
    server = guarded
    (block,) = blocks("chassis/docs/operations.md", "Keys and the audit log")
    create, listing, *rest = (shlex.split(line)[1:] for line in block.splitlines())
    named = flask(server, *create).split("_")[1]
    assert f"ak_{named}  good" in flask(server, *listing)
    said = [flask(server, *(word.replace("1f2e3d4c", named) for word in words)) for words in rest]
    assert "expires at 20" in said[0]
    assert "revoked" in said[1]
    assert [line.split()[2] for line in said[2].splitlines()][:3] == ["key.revoke", "key.expire", "key.create"]


def test_a_feature_says_who_may_in_the_words_of_its_document(serve, tmp_path):
    (block,) = blocks("chassis/docs/features-reference.md", "Who may do what")
    after = "\nfrom app import create_app\napp = create_app()\napp.register_blueprint(blueprint)\n"
    (tmp_path / "albums.py").write_text(block + after)
    server = serve(command=gunicorn(tmp_path, "albums:app"), **GUARDED)
    assert server.get("/albums/prices") == (200, "12")
    for key, answer in ((ADMIN, None), (CLIENT, "missing_scope")):
        client = socket(server, key)
        said = client.call("album:delete", {"name": "x"})
        client.disconnect()
        assert said.get("error", {}).get("code") == answer


def test_a_key_ends_by_its_time(guarded, wait_for):
    server = guarded
    key = flask(server, "keys", "create", "short", "--expires", "9d")
    assert ask(server, key) == 200
    client = socket(server, key)
    flask(server, "keys", "expire", key.split("_")[1], "--in", "0s")
    assert ask(server, key) == 401
    wait_for(lambda: client.ended)


def test_scopes_decide_what_a_key_may_do(guarded):
    server = guarded
    reader = flask(server, "keys", "create", "reader", "--scope", "read")
    headers = {"X-API-Key": reader, "Content-Type": "application/json"}
    assert server.request("POST", "/api/bodies", b"{}", headers)[0] == 403
    assert server.get("/admin/anything", {"X-API-Key": CLIENT})[0] == 403
    assert server.get("/admin/anything")[0] == 401
    assert server.get("/admin/anything", {"X-API-Key": ADMIN})[0] == 404
    assert "scope" in flask(server, "keys", "create", "x", "--scope", "root", status=2)
    assert "duration" in flask(server, "keys", "create", "x", "--expires", "soon", status=2)


@pytest.fixture
def public(shared_with):
    """One that everybody may read, but for the admin's pages."""
    return shared_with(**GUARDED, ADMIN_ALLOW="10.0.0.0/8", PUBLIC_READ="true")


def test_admin_pages_are_for_the_networks_of_admin_allow(public):
    assert public.get("/admin/anything", {"X-API-Key": ADMIN})[0] == 403


def test_visitors_watch_where_it_is_public_and_change_nothing(public):
    assert public.get("/api/jobs")[0] == 200
    assert public.request("POST", "/api/jobs", b"")[0] in (401, 405)
    join(public, None).disconnect()


def test_production_asks_for_keys_that_are_long_and_not_well_known(monkeypatch):
    env = {"APP_ENV": "production", "SECRET_KEY": "k3" * 8 + "Zq9_" * 8, "ADMIN_API_KEY": "short"}
    for name, value in {**env, "CLIENT_API_KEYS": "changeme-changeme-changeme-changeme"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    told = dict(raised.value.problems)
    assert "is too short" in told["ADMIN_API_KEY"]
    assert "is a well-known placeholder" in told["CLIENT_API_KEYS"]
