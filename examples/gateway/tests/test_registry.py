"""The registry: by the API, by settings, and by backends themselves."""

from app.features.gateway.tests.conftest import SETTINGS

KEY = SETTINGS["GATEWAY_REGISTRATION_KEY"]


def test_an_admin_adds_changes_and_removes_a_backend(gateway, backends, wait_for):
    one, client = backends(), gateway()
    status, made, _ = client.ask("POST", "/api/backends", {"name": "a", "base_url": one.url, "key": "sk-secret"})
    assert (status, made["has_key"], made["source"]) == (201, True, "api")
    assert "sk-secret" not in str(made)
    wait_for(lambda: client.text() == "one: hi")
    assert one.seen[-1]["key"] == "Bearer sk-secret"
    assert client.ask("POST", "/api/backends", {"name": "a", "base_url": one.url})[0] == 409
    path = f"/api/backends/{made['id']}"
    client.ask("PATCH", path, {"enabled": False})
    assert client.text() == "model_not_found"
    assert client.ask("PATCH", path, {"enabled": True, "weight": 5})[1]["weight"] == 5
    assert client.text() == "one: hi"
    assert client.ask("DELETE", path)[0] == 200
    assert client.ask("GET", path)[0] == 404
    assert client.text() == "model_not_found"


def test_only_an_admin_sees_the_registry_and_the_figures(gateway):
    client = gateway()
    for method, path in (("GET", "/api/backends"), ("POST", "/api/backends"), ("GET", "/admin/stats")):
        assert client.ask(method, path, {} if method == "POST" else None, key="")[0] == 401


def test_a_key_does_not_follow_its_backend_to_another_host(gateway, backends, wait_for):
    one, two, client = backends(name="one"), backends(name="two"), gateway()
    made = client.ask("POST", "/api/backends", {"name": "a", "base_url": one.url, "key": "sk-secret"})[1]
    changed = client.ask("PATCH", f"/api/backends/{made['id']}", {"base_url": two.url})[1]
    assert changed["has_key"] is False
    wait_for(lambda: client.text() == "two: hi")
    assert {seen["key"] for seen in two.seen} == {None}


def test_redirects_are_not_followed(gateway, backends):
    one, other = backends(name="one"), backends(name="other")
    one.elsewhere = other.url + "/chat/completions"
    client = gateway(one)
    assert client.chat("[redirect]")[0] == 503
    assert other.seen == []


def test_addresses_outside_the_allowed_networks_are_refused(gateway, backends):
    client = gateway()
    for url in ("http://169.254.169.254/v1", "http://8.8.8.8/v1", "ftp://127.0.0.1", "http://u:p@127.0.0.1/v1"):
        status, body, _ = client.ask("POST", "/api/backends", {"name": "a", "base_url": url})
        assert (status, body["error"]["code"]) == (400, "invalid_url"), url


def test_a_name_that_leads_elsewhere_is_never_connected(gateway, backends, wait_for):
    one, client = backends(), gateway(GATEWAY_ALLOWED_NETWORKS="10.0.0.0/8")
    url = one.url.replace("127.0.0.1", "localhost")
    client.ask("POST", "/api/backends", {"name": "a", "base_url": url, "models": ["small"]})
    wait_for(lambda: "permitted networks" in client.stats()["a"]["check_detail"])
    assert client.chat()[0] == 503
    assert one.seen == []


def test_a_backend_registers_itself_and_leaves_when_its_lease_ends(gateway, backends, wait_for):
    one, client = backends(), gateway(GATEWAY_LEASE_SECONDS="3")
    body = {"name": "self", "base_url": one.url}
    assert client.ask("POST", "/api/backends/register", body, headers={"X-Registration-Key": "wrong"})[0] == 401
    found = client.ask("POST", "/api/backends/register", body, key="", headers={"X-Registration-Key": KEY})[1]
    assert found["source"] == "self"
    wait_for(lambda: client.text() == "one: hi")
    again = client.ask("POST", "/api/backends/register", body, key="", headers={"X-Registration-Key": KEY})[1]
    assert again["id"] == found["id"]
    assert again["lease_until"] > found["lease_until"]
    wait_for(lambda: client.text() == "model_not_found")


def test_a_backend_that_registered_itself_is_removed_after_failed_checks(gateway, backends, wait_for):
    one, client = backends(), gateway(GATEWAY_LEASE_SECONDS="3600", MAX_CONSECUTIVE_FAILURES="2")
    one.status = 500
    body = {"name": "self", "base_url": one.url, "models": ["small"]}
    client.ask("POST", "/api/backends/register", body, key="", headers={"X-Registration-Key": KEY})
    wait_for(lambda: client.stats() == {})


def test_settings_give_backends_with_their_keys(gateway, backends, wait_for):
    one = backends()
    client = gateway(GATEWAY_BACKENDS=f"one={one.url} sk-secret,two={one.url}")
    found = {made["name"]: made for made in client.ask("GET", "/api/backends")[1]["items"]}
    assert {name: (made["has_key"], made["source"]) for name, made in found.items()} == {
        "one": (True, "setting"),
        "two": (False, "setting"),
    }
    client.ask("PATCH", f"/api/backends/{found['two']['id']}", {"enabled": False})
    wait_for(lambda: client.text() == "one: hi")
    assert one.seen[-1]["key"] == "Bearer sk-secret"
    assert "sk-secret" not in client.server.log


def test_two_workers_share_the_registry_and_the_health(gateway, backends, wait_for):
    one, two = backends(name="one"), backends(name="two")
    client = gateway(one, two, GUNICORN_WORKERS="2", MAX_CONSECUTIVE_FAILURES="1")
    assert len(client.ask("GET", "/api/backends")[1]["items"]) == 2
    two.status = 500
    wait_for(lambda: client.stats()["two"]["state"] == "open")
    wait_for(lambda: {client.text() for _ in range(20)} == {"one: hi"})
    wait_for(lambda: client.stats()["one"]["requests"] >= 20)
