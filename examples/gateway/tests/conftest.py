"""Backends in this process, and servers of the gateway before them."""

import hashlib
import json
import threading
import urllib.request

import pytest

from app.features.gateway.tests.backend import Backend
from chassis.tests.conftest import page, serve, tool, wait_for
from chassis.tests.patience import LIMIT_SECONDS

__all__ = ["page", "serve", "tool", "wait_for"]
ADMIN, REGISTRATION = (hashlib.sha256(name).hexdigest() for name in (b"admin", b"registration"))
SETTINGS = {
    "ADMIN_API_KEY": ADMIN,
    "GATEWAY_REGISTRATION_KEY": REGISTRATION,
    "HEALTH_CHECK_INTERVAL_SECONDS": "1",
    "GATEWAY_COOLDOWN_SECONDS": "1",
    "GATEWAY_RETRY_SHARE": "1",
}


@pytest.fixture
def backends():
    """Return a function that starts a backend: `backends(name="one")`."""
    started = []

    def start(**options):
        started.append(Backend(**options).started())
        return started[-1]

    yield start
    for one in started:
        one.shutdown()
        one.server_close()


class Client:
    """Requests to a server of the gateway."""

    def __init__(self, server):
        self.server, self.url = server, server.url

    def ask(self, method, path, body=None, key=ADMIN, headers=None):
        """Return (status, JSON, headers)."""
        own = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, own | (headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers

    def chat(self, prompt="hi", model="small", **more):
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
        return self.ask("POST", "/v1/chat/completions", body)

    def text(self, prompt="hi"):
        status, body, _ = self.chat(prompt)
        return body["choices"][0]["message"]["content"] if status == 200 else body["error"]["code"]

    def stream(self, prompt, seen, model="small"):
        """Read a stream into a list of lines, to its end."""
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}
        headers = {"Content-Type": "application/json", "X-API-Key": ADMIN}
        request = urllib.request.Request(self.url + "/v1/chat/completions", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    seen.append(line[6:].decode().strip())

    def stats(self):
        return {one["name"]: one for one in self.ask("GET", "/admin/stats")[1]["backends"]}

    def calls(self):
        return self.ask("GET", "/api/gateway/calls?per_page=100")[1]["items"]


@pytest.fixture
def gateway(serve, wait_for):
    """Return a function that starts a server before backends, which it knows by their names: (client)."""

    def start(*backends, **settings):
        listed = ",".join(f"{one.name}={one.url}" for one in backends)
        client = Client(serve(**{**SETTINGS, "GATEWAY_BACKENDS": listed, **settings}))
        wait_for(lambda: {name for name, one in client.stats().items() if one["models"]} >= {b.name for b in backends})
        return client

    return start


def at_once(number, work):
    """Call `work(number)` in that many threads, and return them."""
    threads = [threading.Thread(target=work, args=(one,), daemon=True) for one in range(number)]
    for thread in threads:
        thread.start()
    return threads
