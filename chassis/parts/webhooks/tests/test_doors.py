"""The API, the command and the page: an owner's own webhooks, and nothing while the setting is off."""

import json
import re
import subprocess
import sys

import pytest

from chassis.db import db
from chassis.parts.webhooks import service, store
from chassis.security import audit, keys, leaving
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.documents import blocks

URL = "https://example.org/hook"


@pytest.fixture
def guarded(build):
    made = build(require_client_api_key=True)
    with made.app_context():
        made.ada = keys.create(keys.NewKey("a", ("submit",), "ada@example.org"))
        made.bob = keys.create(keys.NewKey("b", ("submit",), "bob@example.org"))
        made.reader = keys.create(keys.NewKey("r", ("read",), "ada@example.org"))
        made.root = keys.create(keys.NewKey("r", ("admin",)))
        yield made


def ask(app, key, method="GET", path="", **json_body):
    headers = {"X-API-Key": key} if key else {}
    body = {"json": json_body} if method == "POST" else {}
    return app.test_client().open("/api/webhooks" + path, method=method, headers=headers, **body)


def test_an_owner_registers_lists_and_removes_and_sees_the_secret_once(guarded):
    made = ask(guarded, guarded.ada, "POST", url=URL)
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    assert made.headers["Cache-Control"] == "private, no-store"
    assert made.json["owner"] == "ada@example.org"
    (item,) = ask(guarded, guarded.ada).json["items"]
    assert "secret" not in item
    assert item["state"] == "good"
    assert ask(guarded, guarded.ada, "POST", f"/{item['id']}/test").status_code == 202
    assert ask(guarded, guarded.ada, "POST", f"/{item['id']}/enable").json["state"] == "good"
    assert ask(guarded, guarded.ada, "DELETE", f"/{item['id']}").json["url"] == URL
    assert ask(guarded, guarded.ada, "DELETE", f"/{item['id']}").status_code == 404


def test_somebody_else_s_are_not_there(guarded):
    webhook_id = ask(guarded, guarded.ada, "POST", url=URL).json["id"]
    assert ask(guarded, guarded.bob).json["items"] == []
    for method, path in (("DELETE", ""), ("POST", "/test"), ("POST", "/enable")):
        assert ask(guarded, guarded.bob, method, f"/{webhook_id}{path}").status_code == 404
        assert ask(guarded, guarded.reader, method, f"/{webhook_id}{path}").status_code == 403
        assert ask(guarded, "", method, f"/{webhook_id}{path}").status_code == 401
    assert ask(guarded, guarded.reader).status_code == 403
    assert len(ask(guarded, guarded.root).json["items"]) == 1


def test_mistakes_are_told(guarded):
    assert ask(guarded, guarded.ada, "POST", url="ftp://x/").json["error"]["code"] == "invalid_url"
    assert ask(guarded, guarded.ada, "POST").status_code == 400
    for _ in range(10):
        assert ask(guarded, guarded.ada, "POST", url=URL).status_code == 201
    full = ask(guarded, guarded.ada, "POST", url=URL)
    assert (full.status_code, full.json["error"]["code"]) == (409, "too_many_webhooks")
    assert ask(guarded, guarded.bob, "POST", url=URL).status_code == 201


def test_the_routes_are_described(app):
    paths = app.test_client().get("/api/openapi.json").json["paths"]
    assert set(paths["/api/webhooks"]) == {"get", "post"}
    assert set(paths["/api/webhooks/{webhook_id}"]) == {"delete"}


def test_the_command(app):
    def run(*words):
        return app.test_cli_runner().invoke(args=["webhooks", *words])

    assert run("list").output == "No webhooks yet.\n"
    add, listing = blocks("chassis/docs/operations.md", "Webhooks")[0].splitlines()
    made = run(*add.split()[2:])
    assert made.stdout.startswith("whsec_")
    (one,) = json.loads(run("list", "--json").output)
    assert run(*listing.split()[2:]).exit_code == 0
    assert one["id"] in run("list").output
    assert "secret" not in run("list", "--json").output
    assert len(run("test", one["id"]).output.strip()) == 32
    assert run("enable", one["id"]).output == f"{one['id']} is enabled.\n"
    assert run("remove", one["id"]).output == f"{one['id']} is removed.\n"
    found = run("remove", one["id"])
    assert (found.exit_code, found.output) == (1, "Error: There is no such webhook.\n")


def test_the_page_registers_and_shows_the_secret_once(app):
    client = app.test_client()
    options = {"headers": {"Accept": "text/html", "Origin": "http://localhost"}}
    assert "No webhooks yet" in client.get("/webhooks", **options).text
    token = re.search(r'name="csrf_token" value="([^"]*)"', client.get("/webhooks", **options).text)
    form = {"csrf_token": token[1]} if token else {}
    wrong = client.post("/webhooks", data={**form, "url": "ftp://x/"}, **options)
    assert wrong.status_code == 400
    assert "The address of a webhook must begin with" in wrong.text
    assert 'value="ftp://x/"' in wrong.text, "what was typed is kept"
    made = client.post("/webhooks", data={**form, "url": URL}, follow_redirects=True, **options)
    assert [one.status_code for one in made.history] == [303]
    assert "no-store" in made.headers["Cache-Control"]
    assert "whsec_" in made.text
    shown = client.get("/webhooks", **options).text
    assert URL in shown
    assert "whsec_" not in shown
    (one,) = service.listing()
    for act in ("test", "enable", "remove"):
        done = client.post(f"/webhooks/{one['id']}/{act}", data=form, follow_redirects=True, **options)
        assert (done.request.path, 'role="status"' in done.text) == ("/webhooks", True)
    assert service.listing() == []


def test_they_end_with_the_account_of_their_owner(app):
    client = app.test_cli_runner()
    for owner in ("ada@example.org", "grace@example.org"):
        assert client.invoke(args=["webhooks", "add", "--owner", owner, "https://example.org/hook"]).exit_code == 0
    gone = leaving.Departure("ada@example.org")
    with app.app_context():
        ended = db.write(lambda conn: leaving.carry_out(conn, leaving.parts(), gone))
    assert "webhooks (1, removed): to https://example.org" in [str(ending) for ending in ended]
    assert [hook.owner for hook in db.read(lambda conn: store.of_owner(conn, None))] == ["grace@example.org"]


def test_nothing_of_it_is_imported_while_it_is_off():
    code = (
        "import sys, app; app.create_app(); print([n for n in sys.modules if n.startswith('chassis.parts.webhooks')])"
    )
    env = {**CLEAN, "APP_ENV": "test"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['chassis.parts.webhooks.settings', 'chassis.parts.webhooks']"


def test_it_is_off_by_default(build):
    app = build({"webhooks": False})
    assert app.test_client().get("/api/webhooks").status_code == 404


def test_no_log_holds_the_path_of_a_webhook_which_is_often_its_secret(guarded):
    url = "https://hooks.example.org/services/T0/letmein?token=letmein"
    webhook_id = ask(guarded, guarded.ada, "POST", url=url).json["id"]
    ask(guarded, guarded.ada, "POST", f"/{webhook_id}/enable")
    ask(guarded, guarded.ada, "DELETE", f"/{webhook_id}")
    told = [line["target"] for line in audit.listing() if line["action"].startswith("webhook.")]
    assert told == [f"{webhook_id} https://hooks.example.org"] * 3
