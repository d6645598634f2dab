"""`run_web.py --dev`: a change is served, a mistake is shown where one looks, and the server survives both."""

import shutil
import sys

import pytest

from chassis.tests.conftest import ROOT, same_in_every_mode
from chassis.tests.patience import wait_until

pytestmark = [same_in_every_mode, pytest.mark.long]
ROUTE = """

@blueprint.get("/new-page")
def new_page():
    return "<p>new</p>"


@blueprint.get("/broken")
def broken():
    raise RuntimeError("a <b>mistake</b>")
"""


@pytest.fixture
def copy(tmp_path):
    """Return a folder with the project's code, and its data apart from ours."""
    folder = tmp_path / "project"
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("tests"))
    for name in ("run_web.py", "wsgi.py", "gunicorn_config.py"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def dev(copy, serve):
    """Return a function that starts a server for development."""
    command = [sys.executable, str(copy / "run_web.py"), "--dev"]
    return lambda **options: serve(command=command, APP_ENV="development", **options)


def opened(server, path):
    return server.request("GET", path, headers={"Accept": "text/html"})


def test_a_change_is_served_and_an_exception_is_shown_in_the_page(copy, dev):
    server = dev()
    pages = copy / "chassis/web/pages.py"
    pages.write_text(pages.read_text() + ROUTE)
    wait_until(lambda: opened(server, "/new-page") == (200, "<p>new</p>"), server.log)
    status, shown = opened(server, "/broken")
    assert status == 500
    assert "RuntimeError: a &lt;b&gt;mistake&lt;/b&gt;" in shown
    assert "pages.py" in shown


def test_the_server_survives_a_syntax_error_and_serves_what_is_right_again(copy, dev):
    server = dev()
    pages = copy / "chassis/web/pages.py"
    good = pages.read_text()
    pages.write_text(good + "\ndef broken(:\n")
    wait_until(lambda: "SyntaxError" in server.log, server.log)
    assert server.get("/livez")[0] == 200
    assert server.process.poll() is None
    pages.write_text(good + ROUTE)
    wait_until(lambda: opened(server, "/new-page") == (200, "<p>new</p>"), server.log)
    assert server.stop() == 0


def test_a_start_with_a_mistake_answers_with_it_until_it_is_right(copy, dev):
    own = copy / "app/__init__.py"
    good = own.read_text()
    own.write_text(good + "\nimport no_such_module\n")
    server = dev(ready=False)
    wait_until(lambda: opened(server, "/")[0] == 503, server.log)
    assert "No module named &#x27;no_such_module&#x27;" in opened(server, "/")[1]
    own.write_text(good)
    wait_until(lambda: server.get("/readyz")[0] == 200, server.log)


def test_an_open_page_shows_a_mistake_and_loads_again_after_a_change(copy, dev, page):
    server = dev()
    page.goto(f"{server.url}/api/docs")
    template = copy / "chassis/web/templates/api.html"
    template.write_text(template.read_text().replace("<h1>API</h1>", "<h1>Changed</h1>"))
    page.wait_for_selector("h1:has-text('Changed')")
    pages = copy / "chassis/web/pages.py"
    good = pages.read_text()
    pages.write_text(good + "\ndef broken(:\n")
    page.wait_for_selector("#dev-error:has-text('SyntaxError')")
    pages.write_text(good + "\n# changed\n")
    page.wait_for_selector("#dev-error", state="hidden")


def test_it_runs_in_the_foreground_only(copy, serve):
    server = serve(command=[sys.executable, str(copy / "run_web.py"), "--dev", "--daemon"], ready=False)
    wait_until(lambda: server.process.poll() is not None)
    assert (server.process.returncode, "--dev serves in the foreground" in server.log) == (1, True)
