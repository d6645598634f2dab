"""The job list in a real Chromium under load: smooth, and no more elements than rows."""

import re
import threading

import pytest

from chassis.parts.console.tests.conftest import database_of, stored
from chassis.parts.console.tests.test_live import change

pytestmark = pytest.mark.browser
WATCH_FRAMES = """() => {
  Object.assign(window, { gaps: [], ticks: 0, most: 0 });
  let last = performance.now();
  const frame = (now) => { gaps.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  Live.rooms.socket.on("console:tick", (told) => { ticks += 1; most = Math.max(most, told.jobs.length); });
}"""
MEDIAN = "gaps.slice().sort((a, b) => a - b)[gaps.length >> 1]"
PAUSE_SECONDS = 0.1  # between two changes of 20 jobs each
NODES = "document.querySelectorAll('*').length"


@pytest.fixture
def changes(server):
    """Return a function that lets jobs change 200 times a second, beside the test, until its end."""
    stop, threads = threading.Event(), []

    def begin(ids):
        def run():
            with database_of(server) as db:
                for number in range(10_000):
                    change(db, ids[number * 20 % len(ids) :][:20])
                    if stop.wait(PAUSE_SECONDS):
                        return

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield begin
    stop.set()
    for thread in threads:
        thread.join()


@pytest.mark.long
def test_it_stays_smooth_with_ten_thousand_jobs_and_200_updates_a_second(server, job_list, changes, wait_for):
    console, ids = job_list, stored(server, 10_000)
    console.reload()
    console.wait_for_selector("#rows tr:not([hidden])")
    wait_for(lambda: int(re.search(r"of ([\d,]+)", console.inner_text("#page"))[1].replace(",", "")) >= 500)
    console.evaluate(WATCH_FRAMES)
    wait_for(lambda: console.evaluate("gaps.length") > 60)
    idle, before = console.evaluate(MEDIAN), console.evaluate(NODES)
    console.evaluate("gaps.length = ticks = most = 0")
    changes(ids[:400])
    wait_for(lambda: console.evaluate("ticks") >= 6)
    wait_for(lambda: re.match("[1-9]", console.inner_text("#rows tr:first-child .share span")))
    assert console.evaluate("most") > 10, "the updates came"
    assert console.evaluate(NODES) == before, "rows are filled anew, none is made"
    assert before < 2_000
    assert console.evaluate(MEDIAN) < max(
        100, 3 * idle
    )  # ms; what a quiet machine does is in chassis/docs/operations.md
    assert console.locator("#rows tr").count() == 20
    assert console.problems == []
