"""The server as a whole: health, metrics, sockets, signals, in the ASYNC_MODE of this run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import SERVE, cpu_seconds, serving


def test_health_is_cheap_and_says_what_is_checked(shared):
    server = shared
    assert server.get("/livez")[0] == 200
    assert set(server.json("/healthz")["checks"]) == {"database", "migrations", "runner", "writable", "accepting"}
    (worker,) = server.workers()
    before = cpu_seconds(worker)
    for _ in range(50):
        server.get("/healthz")
    assert (cpu_seconds(worker) - before) / 50 < 0.05
    assert server.json("/healthz")["version"]


def test_every_metric_is_valid(shared, client, tool, wait_for):
    server = shared
    wait_for(lambda: server.metric("socket_connections") == 0)  # those of other tests have gone
    before = server.metric("socket_events_total")
    client(server).call("job:subscribe", {"id": "none"})
    text = server.get("/metrics")[1]
    check = subprocess.run(
        [tool("promtool", "prometheus"), "check", "metrics"], input=text, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr + check.stdout
    assert server.metric("socket_connections") == 1
    assert server.metric("socket_events_total") - before == 1
    assert server.metric("app_workers") == 1


@pytest.fixture
def strict(shared_with):
    """A server that keeps others out and takes little."""
    return shared_with(METRICS_ALLOW="10.0.0.0/8", CORS_ORIGINS="https://friend.example", MAX_UPLOAD_BYTES="1000")


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_server_whose_standard_files_are_closed_serves_without_them(serve, tmp_path, closed):
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *SERVE]
    server = serve(command=command, LOG_FILE=str(tmp_path / "app.log"), LOG_FILE_AND_STDOUT="true")
    for pid in (server.pid, *server.workers()):
        assert str(Path(f"/proc/{pid}/fd/1").readlink()) == os.devnull
    assert "Serving on" in (tmp_path / "app.log").read_text()


def test_metrics_are_refused_to_other_networks(strict):
    assert strict.get("/metrics")[0] == 403


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_both_transports_carry_events_and_errors_come_as_acknowledgements(shared, client, transport):
    one = client(shared, transports=[transport])
    assert one.call("job:subscribe", {"id": "none"}) == {
        "ok": False,
        "error": {"code": "not_found", "message": "There is no such job."},
    }
    assert one.call("job:subscribe", {"wrong": 1})["error"]["code"] == "invalid_message"
    assert one.call("job:subscribe", "nonsense")["ok"] is False
    assert one.connected


def test_a_foreign_origin_is_refused_and_an_allowed_one_is_not(strict):
    handshake = "/socket.io/?EIO=4&transport=polling"
    assert strict.get(handshake, {"Origin": "https://foe.example"})[0] == 400
    assert strict.get(handshake, {"Origin": "https://friend.example"})[0] == 200


def test_sigterm_closes_sockets_and_ends_in_time(serve, client, wait_for):
    server = serve(GUNICORN_GRACEFUL_TIMEOUT_SECONDS="40")
    one = client(server)
    assert server.stop() == 0
    wait_for(lambda: not one.connected)
    assert "socket_disconnect" in server.log


@pytest.mark.parametrize("computed_seconds", [0.0, 0.1, 0.3, 0.6])
def test_sigterm_is_not_lost_while_a_worker_starts(serve, wait_for, computed_seconds):
    """The moment is known by what the worker has computed, unless it is ready with less."""
    server = serve(ready=False, GUNICORN_GRACEFUL_TIMEOUT_SECONDS="40")
    wait_for(lambda: "Booting worker" in server.log)
    (worker,) = wait_for(server.workers)
    wait_for(lambda: cpu_seconds(worker) >= computed_seconds or server.get("/readyz")[0] == 200)
    assert server.stop() == 0
    assert "Traceback" not in server.log


def test_a_killed_worker_is_replaced_and_its_clients_come_back_and_it_leaves_with_its_master(serve, client, wait_for):
    server = serve()
    one = client(server)
    worker = server.workers()[0]
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: server.workers() not in ([], [worker]))
    wait_for(lambda: one.connected and server.get("/readyz")[0] == 200)
    wait_for(lambda: one.connected and one.call("job:subscribe", {"id": "x"})["ok"] is False)
    one.disconnect()  # a thread that serves a socket would keep its process
    (worker,) = server.workers()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), "the orphan stayed")


def test_the_master_stays_clean_of_what_workers_patch(shared):
    server = shared
    libraries = Path(f"/proc/{server.pid}/maps").read_text()
    assert "pydantic_core" in libraries
    assert "sqlalchemy" not in libraries
    assert "gevent" not in libraries


def test_the_garbage_of_requests_is_collected_though_not_while_it_starts(shared, wait_for):
    before = shared.metric("python_gc_collections_total")
    wait_for(lambda: shared.get("/healthz")[0] == 200 and shared.metric("python_gc_collections_total") > before)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A server of a copy of the project, to which the feature of the guide was added: (server, its folder)."""
    root, copy = Path(__file__).parents[3], tmp_path_factory.mktemp("copy") / "project"
    guide = (root / "chassis/docs/features-reference.md").read_text()
    code = re.search(r"## A feature in one file.*?```python\n(.*?)```", guide, re.DOTALL)[1]
    for name in ("app", "chassis"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("tests"))
    for name in ("run_web.py", "wsgi.py", "gunicorn_config.py"):
        shutil.copy(root / name, copy)
    (copy / "app/features/thumbnails").mkdir()
    (copy / "app/features/thumbnails/__init__.py").write_text(code)
    with serving(copy.parent) as serve:
        yield serve(command=[sys.executable, str(copy / "run_web.py")]), copy


def test_the_feature_of_the_guide_runs_as_it_is_printed(copied, client, wait_for):
    server, _ = copied
    status, job = server.post("/api/thumbnails", {"count": 2})
    assert status == 202
    assert server.post("/api/thumbnails", {"count": 0})[0] == 400
    assert "/api/thumbnails" in server.json("/api/openapi.json")["paths"]
    wait_for(lambda: server.json(f"/api/jobs/{job['id']}")["state"] == "succeeded")
    ann, bob = client(server), client(server)
    here = ann.call("album:visit", {"album": "holidays", "name": "Ann"})
    assert (here["images"], here["visitors"], here["stream"]["recovered"]) == ([], ["Ann"], False)
    assert ann.call("album:add", {"album": "holidays", "title": "beach"}) == {"ok": True}
    assert ann.call("album:add", {"album": "holidays", "title": ""})["error"]["code"] == "invalid_message"
    assert ann.call("album:add", {"album": "none", "title": "x"})["error"]["code"] == "not_found"
    after = {"epoch": here["stream"]["epoch"], "seq": here["stream"]["seq"]}
    there = bob.call("album:visit", {"album": "holidays", "name": "Bob", "after": after})
    assert (there["images"], there["visitors"], there["stream"]["recovered"]) == (["beach"], ["Ann", "Bob"], True)
    wait_for(lambda: [data["title"] for event, data in bob.received if event == "album:image"] == ["beach"])
    wait_for(lambda: any(e == "presence:update" and "Bob" in data["joined"] for e, data in ann.received))
    answers: list = []
    for _ in range(40):
        ann.emit("album:add", {"album": "holidays", "title": "x"}, callback=answers.append)
    wait_for(lambda: len(answers) == 40)
    assert {answer["error"]["code"] for answer in answers if not answer["ok"]} == {"rate_limited"}
    assert ann.call("album:ping") == "pong"


def test_sighup_serves_what_is_on_the_disk_now(copied, wait_for):
    """An edit of the factory, the settings and a feature is served after SIGHUP, all three."""
    server, copy = copied
    service, factory, feature = (
        copy / p for p in ("app/__init__.py", "chassis/service.py", "app/features/added/__init__.py")
    )
    service.write_text(service.read_text().replace('version="', 'version="9.'))
    factory.write_text(
        factory.read_text().replace(
            "    return app\n", '    app.add_url_rule("/new", "new", lambda: "new")\n    return app\n'
        )
    )
    feature.parent.mkdir()
    feature.write_text("def register(hooks):\n    hooks.app.add_url_rule('/added', 'added', lambda: 'added')\n")
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: server.get("/added") == (200, "added"))
    assert server.get("/new") == (200, "new")
    assert server.json("/healthz")["version"].startswith("9.")


def test_requests_get_their_id_back_and_a_malicious_one_is_replaced(shared):
    import urllib.request

    def answered(sent):
        request = urllib.request.Request(shared.url + "/livez", headers={"X-Request-ID": sent})
        with urllib.request.urlopen(request) as answer:
            return answer.headers["X-Request-ID"]

    assert answered("abc-123") == "abc-123"
    assert answered("a b<script>") != "a b<script>"


def test_errors_are_json_for_programs_and_pages_for_people(shared):
    server = shared
    status, body = server.get("/api/nothing")
    assert (status, '"code":"not_found"' in body.replace(" ", "")) == (404, True)
    status, body = server.get("/nothing", {"Accept": "text/html"})
    assert status == 404
    assert "<h1>Page not found</h1>" in body


def test_a_body_over_the_limit_is_refused(strict):
    status, body = strict.request("POST", "/api/jobs", b"x" * 2000, {"Content-Type": "application/json"})
    assert status in (405, 413), body
