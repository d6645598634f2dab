"""The feature and the page of the guide that stream an answer, as they are printed."""

import json
import re
import urllib.request

import pytest

from chassis.tests.conftest import ROOT, TRANSPORTS, gunicorn
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.realtime.test_streams import UNHURRIED, ended, text

AROUND = """
from pathlib import Path
from flask import render_template
from app import create_app
app = create_app()
register(Hooks(app, "talk", Path(__file__).parent))

@app.get("/page")
def page():
    return render_template("live.html")
"""
FOLLOW = """() => {
  Object.assign(window, { drawn: {}, ends: {}, stopButton: document.createElement("button") });
  const draw = (id, text) => { drawn[id] = text; window.id = id; };
  const finish = (id, end) => { ends[id] = end.outcome; };
  %s
}"""


@pytest.fixture
def guide():
    """The code blocks of the section, by language."""
    section = (ROOT / "chassis/docs/features-reference.md").read_text().partition("## Stream an answer")[2]
    return {kind: re.search(rf"```{kind}\n(.*?)```", section, re.DOTALL)[1] for kind in ("python", "js")}


@pytest.fixture
def server(serve, fake_upstream, tmp_path, guide):
    (tmp_path / "talk.py").write_text(guide["python"] + AROUND)
    url = fake_upstream().base_url
    settings = {"UPSTREAM_BASE_URL": url, "SOCKET_TRANSPORT": TRANSPORTS[0], **UNHURRIED}
    return serve(command=gunicorn(tmp_path, "talk:app"), **settings)


def test_the_feature_streams_to_sockets_and_http_clients(server, connect, wait_for):
    one = connect(server)
    assert one.call("talk:join", {})["ok"] is True
    name = one.call("talk:ask", {"text": "two words"})["id"]
    wait_for(lambda: ended(one, name))
    assert (text(one, name), ended(one, name)) == ("echo: two words", {"outcome": "done"})
    body = json.dumps({"text": "hello"}).encode()
    asked = urllib.request.Request(f"{server.url}/api/answers", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=LIMIT_SECONDS) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.read().decode().endswith('event: end\ndata: {"outcome": "done"}\n\n')
    described = server.json("/api/openapi.json")["paths"]["/api/answers"]["post"]
    assert "text/event-stream" in described["responses"]["200"]["content"]


@pytest.mark.browser
def test_a_page_shows_an_answer_goes_on_after_a_reload_and_stops_it(server, guide, page, connect, wait_for):
    def follow():
        page.goto(f"{server.url}/page")
        page.wait_for_selector("#connection[data-state=live]")
        page.evaluate(FOLLOW % guide["js"])

    follow()
    one = connect(server)
    one.call("talk:join", {})
    name = one.call("talk:ask", {"text": "[forever]"})["id"]
    wait_for(lambda: len(page.evaluate("drawn")[name]) > 20 if page.evaluate("drawn") else False)
    follow()
    so_far = len(text(one, name))
    wait_for(lambda: len(page.evaluate("drawn").get(name, "")) > so_far)
    page.evaluate("stopButton.click()")
    wait_for(lambda: page.evaluate("ends") == {name: "stopped"})
    wait_for(lambda: ended(one, name))
    assert page.evaluate("drawn")[name] == text(one, name)
    assert page.errors == []
