"""An application with webhooks, a receiver that can misbehave, and a function that runs the calls that are due."""

import ipaddress
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from app import create_app
from chassis import features
from chassis.db import db
from chassis.jobs import JobContext, enqueue, get, registry, store
from chassis.jobs.execution import execute
from chassis.jobs.tables import jobs
from chassis.parts.webhooks import jobs as known  # the kind, before a test has its own
from chassis.parts.webhooks.settings import WebhookSettings
from chassis.settings import Settings
from chassis.tests.conftest import new_database, page, same_in_every_mode, serve, tool, wait_for
from chassis.upkeep import register

__all__ = ["known", "page", "same_in_every_mode", "serve", "tool", "wait_for"]
HERE = (ipaddress.ip_network("127.0.0.0/8"),)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        told = self.server.told
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told.calls.append(SimpleNamespace(path=self.path, headers=dict(self.headers), body=body))
        told.answer(self)

    do_GET = do_POST

    def log_message(self, *args):
        pass


class Receiver:
    """A web server that keeps what it is told."""

    def __init__(self):
        self.calls, self.answer = [], self.say(200)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.told, self.server.daemon_threads = self, True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?a=1"

    @staticmethod
    def say(status, **headers):
        def answer(handler):
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return answer

    @staticmethod
    def say_bytes(*parts, forever=False):
        def answer(handler):
            for part in parts:
                handler.wfile.write(part)
            while forever:
                handler.wfile.write(b"x")  # until the other side has closed
            handler.close_connection = True

        return answer


def receiving(receiver):
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture
def receiver():
    yield from receiving(Receiver())


def claimed():
    """Claim a job that waits, whenever it is due."""
    later, kinds = time.time() + 10 * 86_400, registry.names(cpu_bound=True)
    return db.write(lambda conn: store.claim(conn, kinds=kinds, owner="me", now=later, lease_seconds=60))


def run_due():
    """Run the jobs that wait until one of them is to be tried again; return the last one."""
    last = None
    while (last is None or last.state != "queued") and (job := claimed()):
        execute(job, JobContext(job.id, job.kind, job.attempt, lambda *_: None), "me", threading.Event())
        last = get(job.id)
    return last


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that makes the application."""

    def made(own=None, **values):
        settings = Settings(app_env="test", database_url=new_database(tmp_path), **values)
        settings._sections[WebhookSettings] = WebhookSettings(
            **{"webhooks": True, "webhook_allow": HERE, **(own or {})}
        )
        return create_app(settings)

    register()  # modules register their kinds once, so what a test imports first would be forgotten with its copy
    list(features.modules("jobs"))
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    yield made
    db.close()


@pytest.fixture
def app(build):
    """The usual one, inside of its context, with a kind of jobs that ends well and one that does not."""
    made = build()
    registry.job("work")(lambda context, payload: None)
    registry.job("trouble")(lambda context, payload: 1 / 0)
    with made.app_context():
        yield made


def finish(kind="work"):
    """Queue a job and run all that is due."""
    job = enqueue(kind, {})
    run_due()
    return job.id


def waiting():
    """Return the calls that wait."""
    query = jobs.select().where(jobs.c.kind == "webhook", jobs.c.state == "queued")
    return db.read(lambda conn: list(conn.execute(query)))


def body_of(call):
    return json.loads(call.body)
