"""Measures what visitors of the pages wait for, in a real Chromium: `python benchmarks/pages.py [--check]`.

Two times: from a restarted server's first `ready` until an open page is live again, and from the answer of the outside
API until its row is on the screen. Meanwhile four batches with a thousand prompts run against an API that takes half a
second to one and a half for each, and starts fifty of them a second. The browser and the API share this machine with
the server: with processors busy otherwise the times grow, so the load is told beside them. And the layout shift
(CLS) of every page while it loads, also on a slow phone (shifts.py). `--check` fails above the limits.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import shifts  # noqa: E402
from chassis.tests import fake_answers, fake_upstream  # noqa: E402

SERVE = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]
LIVE_MS, ROW_MS = 2000, 300  # limits; the second at the 95th percentile
RESTARTS, BATCHES, ROWS = 6, 4, 250
PATIENCE_MS = 120_000
PACE = {"UPSTREAM_REQUESTS_PER_SECOND": "50", "UPSTREAM_MAX_CONCURRENT_REQUESTS": "64"}
LEAST_SECONDS, SPREAD_SECONDS = 0.5, 1.0  # of a call
TALL = {"width": 1280, "height": 1_000}
POLL_SECONDS = 0.02
NOTE_LIVE = "window.lives = []; Live.rooms.socket.on('connect', () => lives.push(Date.now()))"
NOTE_ROWS = """window.late = []; // [to the socket, from there to the screen] in milliseconds, of each row
const arrived = new Map();
Live.rooms.socket.prependAny((event, { rows = [] }) => {
  for (const { position } of rows) arrived.set(String(position), Date.now());
});
const { style } = document.getElementById("grid");
style.height = style.maxHeight = "850px";
style.setProperty("--row-height", "3px"); // so that every row is on the screen
dispatchEvent(new Event("resize"));
new MutationObserver((changes) => requestAnimationFrame(() => {
  for (const { target } of changes) {
    const sent = Number((target.textContent ?? "").match(/^sent (\\d+)$/)?.[1]);
    const here = arrived.get(target.parentElement?.dataset.position);
    if (sent && here && !target.counted) { target.counted = true; late.push([here - sent, Date.now() - here]); }
  }
})).observe(document.getElementById("space"), { childList: true, subtree: true });"""
DRAWN = f"document.querySelectorAll('#space .grid-row').length === {ROWS}"


class Answering(fake_upstream.Handler):
    """Answers after a while with the time."""

    def special(self, prompt: str, attempt: int, model: str, key: str) -> tuple[Any, ...]:
        """Return the answer to a prompt."""
        time.sleep(random.uniform(0, SPREAD_SECONDS))
        plain = (200, fake_answers.completion(prompt, model))
        status, text, *more = super().special(prompt, attempt, model, key) or plain
        return status, text.replace(f"echo: {prompt}", f"sent {time.time() * 1000:.0f}"), *more


class Service:
    """The service of this checkout, which is started and stopped on one port."""

    def __init__(self, folder: str, **env: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url, self._log = f"http://127.0.0.1:{port}", Path(folder, "log")
        own = {"APP_ENV": "test", "PORT": str(port), "DATABASE_URL": f"sqlite:///{folder}/app.db", **env}
        self._env = {"PATH": os.environ["PATH"], **own}

    def start(self) -> float:
        """Start it, and return when it was ready."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(SERVE, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz"):
                return time.time()
            if self.process.poll() is not None:
                raise SystemExit(f"The service does not start:\n{self._log.read_text()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def batch(self, number: int) -> str:
        """Begin a batch; return its id."""
        rows = [{"n": f"{number} {row}"} for row in range(ROWS)]
        body = json.dumps({"prompt": "say {n}", "rows": rows}).encode()
        asked = urllib.request.Request(f"{self.url}/api/predictions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked) as answer:
            return str(json.load(answer)["id"])


def live_again(page: Any, service: Service) -> list[float]:
    """Restart the service several times; return the milliseconds from ready to live."""
    page.goto(f"{service.url}/predictions")
    page.wait_for_selector("#connection[data-state=live]")
    page.evaluate(NOTE_LIVE)
    found = []
    for number in range(1, RESTARTS + 1):
        service.stop()
        ready = service.start()
        while page.evaluate("lives.length") < number:
            page.wait_for_timeout(POLL_SECONDS * 1000)
        found.append(max(0.0, page.evaluate("lives.at(-1)") - ready * 1000))
    return found


def rows_on_screen(page: Any, service: Service, api: fake_upstream.FakeUpstream) -> list[tuple[float, float]]:
    """Let some batches run at once, look at the first; return the milliseconds to the socket and on from there."""
    page.set_viewport_size(TALL)
    api.hold_after(0)  # until the page is open
    first, *_ = [service.batch(number) for number in range(BATCHES)]
    page.goto(f"{service.url}/predictions/{first}")
    page.wait_for_selector("#connection[data-state=live]")
    page.evaluate(NOTE_ROWS)
    page.wait_for_function(DRAWN)
    api.release()
    page.wait_for_selector("#status[data-status=succeeded]")
    return [(to_socket, on) for to_socket, on in page.evaluate("late")]


def told(rows: list[tuple[float, float]]) -> float:
    """Print how late the rows were, and where their time went; return the 95th percentile."""
    whole, middle = [sum(row) for row in rows], statistics.median
    late, on = statistics.quantiles(whole, n=20)[-1], [row[1] for row in rows]
    print(f"answer to screen, {len(rows)} rows: median {middle(whole):.0f} ms, p95 {late:.0f} ms (limit {ROW_MS})")
    share, load = sum(on) / sum(whole), f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"of it in the browser: median {middle(on):.0f} ms, {share:.0%}; load {load}")
    return late


@contextlib.contextmanager
def upstream() -> Iterator[fake_upstream.FakeUpstream]:
    """Run an outside API."""
    server = fake_upstream.FakeUpstream(latency=LEAST_SECONDS)
    server.RequestHandlerClass = Answering
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def measure() -> dict[str, float]:
    """Return both times, in milliseconds."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, upstream() as api, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        service = Service(folder, UPSTREAM_BASE_URL=api.url, OPENROUTER_API_KEY="sk-local-12345678", **PACE)
        service.start()
        try:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            late = told(rows_on_screen(page, service, api))
            lives = live_again(page, service)
            print(f"live again after ready: {', '.join(f'{one:.0f}' for one in lives)} ms (limit {LIVE_MS})")
        finally:
            service.stop()
        shift = shifts.worst(browser, Path(folder))
    return {"live": max(lives), "rows": late, "shift": shift}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail above the limits")
    checks, found = parser.parse_args().check, measure()
    if checks and (found["live"] > LIVE_MS or found["rows"] > ROW_MS or found["shift"] > shifts.LIMIT):
        sys.exit("Above a limit.")
