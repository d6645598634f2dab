"""Locust users of the page: they open it, use HTTP and sockets, and start batches that they follow.

    make load URL=http://127.0.0.1:5000 USERS=20 SECONDS=60

LOAD_KEY is the key for instances that require one; `make load` makes one without limits from an admin's key
(deploy/load_key.py). Locust patches the standard library with gevent, so nothing of the application is imported here.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import socketio
from locust import HttpUser, between, task

KEY = os.environ.get("LOAD_KEY", "")
TIMEOUT_SECONDS, BATCH_SECONDS = 30, 120
BATCH = {
    "name": "load test",
    "prompt": "Is {species} harmful? Answer yes or no.",
    "rows": [{"species": f"species {number}"} for number in range(5)],
}
ENDED = ("succeeded", "failed", "cancelled", "interrupted")


class Visitor(HttpUser):
    """A visitor with the page open."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Open the page and its socket, and try the example."""
        headers = {"X-API-Key": KEY} if KEY else {}
        self.client.headers.update(headers)
        self.client.get("/", headers={"Accept": "text/html"})
        with self.client.get("/api/predictions/config", catch_response=True) as answer:
            self.example = answer.status_code != 404
            if not self.example:
                answer.success()
        self.jobs: dict[str, gevent.event.AsyncResult[str]] = {}
        self.socket = socketio.Client(reconnection=False, request_timeout=TIMEOUT_SECONDS)
        self.socket.on("job:update", self.update)
        auth = {"key": KEY} if KEY else None
        options = {"headers": headers, "auth": auth, "transports": ["websocket"], "wait_timeout": 10}
        self.measured("connect", lambda: self.socket.connect(self.host, **options))
        self.batch()

    def on_stop(self) -> None:
        """Close the page."""
        self.socket.disconnect()

    def update(self, job: dict[str, Any], *_rest: Any) -> None:
        """Record that a job has ended."""
        if job["state"] in ENDED and job["id"] in self.jobs:
            self.jobs[job["id"]].set(job["state"])

    @task(5)
    def look(self) -> None:
        """List jobs."""
        self.client.get("/api/jobs?per_page=10", name="/api/jobs")

    @task(5)
    def say(self) -> None:
        """Send an event."""
        self.measured("job:unsubscribe", lambda: self.call("job:unsubscribe", {"id": "load"}))

    @task(1)
    def batch(self) -> None:
        """Start a batch, follow it to its end, and read its results."""
        if not self.example:
            return
        answer = self.client.post("/api/predictions", json=BATCH)
        if answer.status_code != 202:
            return
        made = answer.json()
        self.jobs[made["job_id"]] = gevent.event.AsyncResult()
        self.measured("batch of 5, followed", lambda: self.follow(made["job_id"]))
        self.client.get(f"/api/predictions/{made['id']}/rows", name="/api/predictions/ID/rows")

    def follow(self, job_id: str) -> None:
        """Wait for the event that reports a job's end."""
        try:
            self.update(self.call("job:subscribe", {"id": job_id})["job"])
            state = self.jobs[job_id].get(timeout=BATCH_SECONDS)
        except gevent.Timeout:
            raise RuntimeError(f"nothing told of the job's end within {BATCH_SECONDS} s") from None
        finally:
            del self.jobs[job_id]
        self.call("job:unsubscribe", {"id": job_id})
        if state != "succeeded":
            raise RuntimeError(f"the job ended as {state}")

    def call(self, event: str, message: dict[str, Any]) -> Any:
        """Return the answer to an event; raise if it is an error."""
        answer = self.socket.call(event, message, timeout=TIMEOUT_SECONDS)
        if not answer.get("ok"):
            raise RuntimeError(answer["error"]["message"])
        return answer

    def measured(self, name: str, work: Callable[[], object]) -> None:
        """Run work over the socket, and report it like the requests in Locust's table."""
        began, error = time.perf_counter(), None
        try:
            work()
        except Exception as raised:
            error = raised
        took = 1000 * (time.perf_counter() - began)
        self.environment.events.request.fire(
            request_type="SOCKET", name=name, response_time=took, response_length=0, exception=error, context={}
        )
