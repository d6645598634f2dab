"""Budgets over HTTP and by commands: admins set them, and everybody sees their own."""

import json
import shlex

import pytest

from chassis.tests.documents import blocks
from chassis.tests.patience import wait_until
from chassis.tests.security.conftest import ADMIN, CLIENT, OTHER, flask


def ask(server, key, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    status, text = server.request("GET" if body is None else "POST", path, data, headers)
    return status, json.loads(text)


def own(server, key):
    (found,) = ask(server, key, "/api/usage")[1]["budgets"]
    return found


def test_an_admin_sets_a_budget_and_its_key_sees_it(attacked):
    subject = own(attacked, CLIENT)["subject"]
    place = f"/api/admin/budgets/{subject}"
    assert ask(attacked, CLIENT, place)[0] == ask(attacked, CLIENT, place, {"limit": 1})[0] == 403
    status, told = ask(attacked, ADMIN, place, {"limit": 5_000_000})
    assert (status, told["limit"], told["left"], told["own"]) == (200, 5_000_000, 5_000_000, True)
    assert own(attacked, CLIENT) == told == ask(attacked, ADMIN, place)[1]
    assert own(attacked, OTHER)["limit"] == 0
    assert told in ask(attacked, ADMIN, "/api/admin/budgets?per_page=100")[1]["items"]
    assert ask(attacked, ADMIN, place, {"limit": None})[1]["own"] is False


@pytest.mark.parametrize("body", [{"limit": -1}, {"limit": 1.5}, {"limit": "1"}, {}, {"limit": 10**16}])
def test_a_wrong_budget_is_refused(attacked, body):
    status, told = ask(attacked, ADMIN, "/api/admin/budgets/ada@example.org", body)
    assert (status, told["error"]["code"]) == (400, "invalid_body")


def test_a_key_that_does_not_exist_has_no_budget(attacked):
    assert ask(attacked, ADMIN, "/api/admin/budgets/ak_00000000", {"limit": 1})[0] == 404


def test_commands_set_list_and_clear_budgets(attacked):
    said = flask(attacked, "budgets", "set", "bob@example.org", "12.50")
    assert "bob@example.org has 12.50 USD a month; 0.00 spent" in said
    listed = {one["subject"]: one for one in json.loads(flask(attacked, "budgets", "list", "--json"))}
    assert listed["bob@example.org"]["limit"] == 12_500_000
    assert "12.50 left until" in flask(attacked, "budgets", "list")
    assert "has no limit" in flask(attacked, "budgets", "clear", "bob@example.org")
    assert "No calls" in flask(attacked, "usage")
    key = flask(attacked, "keys", "create", "limited", "--budget", "3")
    wait_until(lambda: ask(attacked, key, "/api/usage")[0] == 200)
    assert own(attacked, key)["limit"] == 3_000_000
    flask(attacked, "budgets", "set", "bob@example.org", "lots", status=2)


def test_the_commands_of_the_document(attacked):
    usage, changes = blocks("chassis/docs/operations.md", "Budgets")
    key = flask(attacked, "keys", "create", "documented")
    shown = "_".join(key.split("_")[:2])
    for line in [*usage.splitlines(), *changes.splitlines()]:
        command, *words = shlex.split(line.replace("ak_1f2e3d4c", shown))
        assert command == "flask"
        flask(attacked, *words)
