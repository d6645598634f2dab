"""The admin pages: a key is made in the browser, shown once, used, and revoked."""

import pytest

from chassis.tests.patience import wait_until
from chassis.tests.security.test_keys import ADMIN, CLIENT, GUARDED, ask


@pytest.fixture
def server(shared_with):
    """A server that asks for keys."""
    return shared_with(**GUARDED)


def test_an_admin_makes_and_revokes_a_key_in_the_browser(server, page):
    page.set_extra_http_headers({"X-API-Key": ADMIN})
    page.goto(f"{server.url}/admin/keys")
    page.get_by_label("Name").fill("line 4 <b>")
    page.get_by_label("Permissions").select_option(label="read only")
    page.get_by_role("button", name="Create key").click()
    made = page.locator("#made").inner_text()
    assert ask(server, made) == 200
    page.goto(f"{server.url}/admin/keys")
    assert made not in page.content()
    assert page.get_by_role("cell", name="line 4 <b>").is_visible()
    page.get_by_role("button", name="Revoke").click()
    asked = page.get_by_role("dialog")
    assert f"Revoke {'_'.join(made.split('_')[:2])} (line 4 <b>)?" in asked.inner_text()
    asked.get_by_role("button", name="Cancel").click()
    assert ask(server, made) == 200, "nothing is done before the answer"
    page.get_by_role("button", name="Revoke").click()
    asked.get_by_role("button", name="Revoke key").click()
    page.get_by_text("revoked", exact=True).wait_for()
    assert ask(server, made) == 401
    page.get_by_role("link", name="Audit log").click()
    actions = page.locator("tbody td:nth-child(3)").all_inner_texts()
    assert actions == ["key.revoke", "key.create"]
    assert page.locator("tbody td:nth-child(2)").first.inner_text() == "ADMIN_API_KEY"
    assert page.problems == []
    for html in ("<script>window.ran = 1</script>", '<img src="/none" onerror="window.ran = 1">'):
        page.evaluate("html => document.body.append(document.createRange().createContextualFragment(html))", html)
    refused = lambda: [told for told in page.problems if "Content Security Policy" in told]  # noqa: E731
    wait_until(lambda: page.evaluate("true") and len(refused()) >= 2)  # a round trip brings what the console says
    assert page.evaluate("window.ran ?? null") is None, "what somebody injects does not run"
    assert len(refused()) == 2


def test_a_key_is_revoked_without_scripts_after_a_question(server, page):
    headers = {"X-API-Key": ADMIN}
    context = page.context.browser.new_context(java_script_enabled=False, extra_http_headers=headers)
    plain = context.new_page()
    plain.goto(f"{server.url}/admin/keys")
    plain.get_by_label("Name").fill("without scripts")
    plain.get_by_role("button", name="Create key").click()
    made = plain.locator("#made").inner_text()
    assert not plain.get_by_role("button", name="Copy key").is_visible()
    plain.get_by_role("row", name="without scripts").get_by_role("button", name="Revoke").click()
    plain.get_by_role("dialog").get_by_role("button", name="Revoke key").click()
    plain.get_by_role("row", name="without scripts").get_by_text("revoked", exact=True).wait_for()
    assert ask(server, made) == 401
    context.close()


def test_admin_pages_refuse_mistakes_and_others(server):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    post = lambda path, body, key: server.request("POST", path, body, {**form, "X-API-Key": key})  # noqa: E731
    assert server.get("/admin/keys")[0] == 401
    assert server.get("/admin/keys", {"X-API-Key": CLIENT})[0] == 403
    for before in ("9" * 30, "-" + "9" * 30, "x"):
        assert server.get(f"/admin/audit?before={before}", {"X-API-Key": ADMIN})[0] == 200
    assert post("/admin/keys", b"name=x", CLIENT)[0] == 403
    for body in (b"", b"name=", b"name=x&days=-1", b"name=x&scope=root", b"name=x&per_second=inf", b"name=%00"):
        assert post("/admin/keys", body, ADMIN)[0] == 400, body
    assert post("/admin/keys/none/revoke", b"", ADMIN)[0] == 404
    assert post("/admin/keys/none/expire", b"days=1", ADMIN)[0] == 404
