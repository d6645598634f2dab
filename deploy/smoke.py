"""Checks a staging or production instance as a user would, and prints one line for each check.

    SMOKE_KEY=ak_... python deploy/smoke.py https://app.example.org

The exit status is 0 if all checks pass, otherwise 1. It starts one job of two rows if the example is installed, and
changes nothing else. The key is for instances that require one. With an admin's key no limits apply: it makes a key
without limits, and revokes it at the end.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import load_key
import requests
import socketio

TIMEOUT_SECONDS = 20.0
BATCH_SECONDS = 120.0
BATCH = {
    "name": "smoke test",
    "prompt": "Is {species} harmful? Answer yes or no.",
    "rows": [{"species": "Vibrio cholerae"}, {"species": "Bacillus subtilis"}],
}
ENDED = ("succeeded", "failed", "cancelled", "interrupted")


class Failure(Exception):
    """The problem, in a sentence."""


class Instance:
    """The checked instance, with the key to use."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url.rstrip("/"), key
        self.session = requests.Session()
        self.session.headers.update({"X-API-Key": key} if key else {})

    def get(self, path: str, **options: Any) -> requests.Response:
        """Return the answer to a GET request; raise Failure if its status is not 200."""
        return self.call("GET", path, 200, **options)

    def call(self, method: str, path: str, wanted: int, **options: Any) -> requests.Response:
        """Return the answer to a request; raise Failure if its status is not the wanted one."""
        answer = self.session.request(method, self.url + path, timeout=TIMEOUT_SECONDS, **options)
        if answer.status_code != wanted:
            raise Failure(f"{method} {path} answered {answer.status_code}{_reason(answer)}")
        return answer

    def connect(self) -> socketio.Client:
        """Return a client with an open socket, by websocket only if polling is not offered."""
        for transports in (None, ["websocket"]):
            client = socketio.Client(reconnection=False, request_timeout=int(TIMEOUT_SECONDS))
            try:
                client.connect(
                    self.url,
                    headers={"X-API-Key": self.key} if self.key else {},  # so that the handshake counts for the key
                    auth={"key": self.key} if self.key else None,
                    transports=transports,
                    wait_timeout=int(TIMEOUT_SECONDS),
                )
            except socketio.exceptions.ConnectionError as error:
                reason = str(error)
            else:
                return client
        raise Failure(f"no socket could be opened: {reason}")


def told(client: socketio.Client, event: str, data: Any) -> Any:
    """Return the answer to an event; over TLS the Python client sometimes loses the first one, so it is sent again."""
    try:
        return client.call(event, data, timeout=TIMEOUT_SECONDS / 2)
    except socketio.exceptions.TimeoutError:
        return client.call(event, data, timeout=TIMEOUT_SECONDS)


def page(instance: Instance) -> str:
    """Load the start page as a browser does."""
    answer = instance.get("/", headers={"Accept": "text/html"})
    title = answer.text.partition("<title>")[2].partition("</title>")[0].strip()
    if not title:
        raise Failure("/ is not a page with a title")
    return f"{title!r} at {urlsplit(answer.url).path}, {len(answer.content)} bytes"


def health(instance: Instance) -> str:
    """Check the health endpoint."""
    answer = instance.session.get(f"{instance.url}/healthz", timeout=TIMEOUT_SECONDS)
    if answer.headers.get("Content-Type", "") != "application/json":
        raise Failure(f"/healthz answered {answer.status_code}, but not like this service")
    found = answer.json()
    bad = [name for name, good in found["checks"].items() if not good]
    if bad:
        raise Failure(f"failing checks: {', '.join(bad)}")
    return f"version {found['version']}, {len(found['checks'])} checks pass"


def api(instance: Instance) -> str:
    """List jobs, which uses the database."""
    return f"{instance.get('/api/jobs?per_page=1').json()['total']} jobs in the table"


def socket(instance: Instance) -> str:
    """Send an event and wait for its acknowledgement."""
    client = instance.connect()
    try:
        began = time.monotonic()
        answer = told(client, "job:unsubscribe", {"id": "smoke"})
        if not (isinstance(answer, dict) and answer.get("ok")):
            raise Failure(f"an event was answered {answer!r}")
        return f"by {client.transport()}, an event and its answer in {1000 * (time.monotonic() - began):.0f} ms"
    finally:
        client.disconnect()


def batch(instance: Instance) -> str:
    """Start a batch, follow it by its events, and read its results."""
    if instance.session.get(f"{instance.url}/api/predictions/config", timeout=TIMEOUT_SECONDS).status_code == 404:
        return "skipped, the example is not installed"
    made = instance.call("POST", "/api/predictions", 202, json=BATCH).json()
    state = _followed(instance, made["job_id"])
    if state != "succeeded":
        raise Failure(f"the job ended as {state}")
    rows = instance.get(f"/api/predictions/{made['id']}/rows").json()["items"]
    answered = [row for row in rows if row["status"] == "succeeded"]
    if len(answered) != len(BATCH["rows"]):
        raise Failure(f"{len(answered)} of {len(BATCH['rows'])} rows have an answer: {rows[0].get('error')}")
    return f"{len(answered)} rows, answered e.g. {str(answered[0]['output'])[:40]!r}"


def _followed(instance: Instance, job_id: str) -> str:
    """Return the final state of a job, as reported by its events."""
    client, ended, states = instance.connect(), threading.Event(), list[str]()

    def update(job: dict[str, Any], *_rest: Any) -> None:
        if job["id"] == job_id and job["state"] in ENDED:
            states.append(job["state"])
            ended.set()

    client.on("job:update", update)
    try:
        joined = told(client, "job:subscribe", {"id": job_id})
        if not joined.get("ok"):
            raise Failure(f"its events cannot be followed: {joined['error']['message']}")
        update(joined["job"])
        if not ended.wait(BATCH_SECONDS):
            raise Failure(f"the job has not ended within {BATCH_SECONDS:g} s")
        return states[0]
    finally:
        client.disconnect()


CHECKS: tuple[Callable[[Instance], str], ...] = (page, health, api, socket, batch)


def main(url: str, key: str) -> int:
    """Run every check, without limits if an admin's key allows it; return the exit status."""
    load_key.raise_on_signals()
    try:
        with load_key.without_limits(url, key) as own:
            return checked(Instance(url, own))
    except load_key.NoKey as error:
        print(error, file=sys.stderr, flush=True)
        return checked(Instance(url, key))
    except KeyboardInterrupt:
        return load_key.INTERRUPTED


def checked(instance: Instance) -> int:
    """Run every check; return the exit status."""
    bad = 0
    for check in CHECKS:
        began = time.monotonic()
        try:
            verdict, said = "ok  ", check(instance)
        except Exception as error:  # any error becomes a line, and the checks continue
            verdict, said, bad = "FAIL", _sentence(error), bad + 1
        print(f"{verdict} {check.__name__:<7} {time.monotonic() - began:6.2f} s  {said}", flush=True)
    return 1 if bad else 0


def _reason(answer: requests.Response) -> str:
    try:
        return f": {answer.json()['error']['message']}"
    except (ValueError, KeyError, TypeError):
        return ""


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, Failure) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: SMOKE_KEY=... python deploy/smoke.py URL")
    sys.exit(main(sys.argv[1], os.environ.get("SMOKE_KEY", "")))
