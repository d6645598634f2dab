"""What comes into a page after it was rendered takes a place kept for it, and stays when the connection goes."""

import pytest

from chassis.parts.console.tests.conftest import SHIFT, opened, stored

pytestmark = pytest.mark.browser


def test_a_list_with_few_jobs_or_none_moves_nothing_when_it_comes(server, console):
    stored(server, 3, kind="made up for the layout")
    for width in (1280, 390):
        console.set_viewport_size({"width": width, "height": 800})
        for query in ("kind=made+up+for+the+layout", "q=no+job+has+this"):
            opened(server, console, f"jobs?{query}")
            console.wait_for_selector("#frame[data-loading=false]", state="attached")
            console.wait_for_load_state("networkidle")
            assert console.evaluate(SHIFT) < 0.05, (width, query)


def test_the_health_is_on_the_page_before_its_script_and_after_the_connection(server, console):
    console.route("**/socket.io/**", lambda route: route.abort())
    console.goto(f"{server.url}/admin/console")
    assert console.inner_text("#state-title") == "Ready"
    checks = console.locator("#checks li").all_inner_texts()
    assert "database" in checks
    console.unroute("**/socket.io/**")
    opened(server, console, "")
    console.context.set_offline(True)
    console.evaluate("Live.rooms.socket.io.engine.close()")
    console.wait_for_selector("html[data-connection=offline]")
    assert console.locator("#checks li").all_inner_texts() == checks
    console.context.set_offline(False)
