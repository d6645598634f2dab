"""What an open page shows of an outage, of what was missed during it, and of a refusal whose cause is gone."""

import pytest

from app.features.predictions.tests.batches import ask, ended, numbers
from chassis.tests.conftest import same_in_every_mode

pytestmark = [pytest.mark.browser, same_in_every_mode]
MISSED = "() => { const one = new BatchFigures(10); one.note(0); one.note(500); return one.rate(); }"
OPACITY = "getComputedStyle(document.querySelector('.figures')).opacity"


def test_stale_values_are_dimmed_and_what_was_missed_is_no_rate(serve, page, wait_for):
    server = serve()
    made = ask(server, numbers(3), prompt="{n}: yes or no", name="stale")
    ended(server, wait_for, made)
    page.goto(f"{server.url}/predictions/{made['id']}")
    page.wait_for_selector("#connection[data-state=live]")
    assert page.evaluate(OPACITY) == "1"
    page.context.set_offline(True)
    page.evaluate("Live.rooms.socket.io.engine.close()")
    page.wait_for_selector("#connection[data-state=offline]")
    assert page.evaluate(OPACITY) == "0.55"
    page.context.set_offline(False)
    page.wait_for_selector("#connection[data-state=live]")
    assert page.evaluate(OPACITY) == "1"
    assert page.evaluate(MISSED) == 0
