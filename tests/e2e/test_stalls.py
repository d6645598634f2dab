"""Code that holds up the hub is named in the log."""

import json
import time

import pytest

from tests.conftest import ASYNC_MODE


def stalls(server):
    return [json.loads(line) for line in server.log.splitlines() if '"hub_stalled"' in line]


def test_a_handler_that_blocks_is_logged_once_with_its_stack(serve_slow, wait_for):
    server = serve_slow(HUB_STALL_SECONDS="3")
    server.get("/block?seconds=0.1")
    server.get("/slow?seconds=4")
    assert stalls(server) == []
    server.get("/block?seconds=6")
    time.sleep(0.5)
    if ASYNC_MODE == "threading":
        assert stalls(server) == []
        return
    (stall,) = stalls(server)
    assert "in block" in stall["stack"]
    assert "drain_app.py" in stall["stack"].splitlines()[-2]
    assert stall["seconds"] >= 3
    assert stall["level"] == "warning"
    assert server.metric("app_hub_stalls_total") == 1
    server.get("/block?seconds=4")
    wait_for(lambda: server.metric("app_hub_stalls_total") == 2)
    assert len(stalls(server)) == 2


@pytest.mark.long
def test_it_can_be_turned_off(serve_slow):
    server = serve_slow(HUB_STALL_SECONDS="0")
    server.get("/block?seconds=1.5")
    time.sleep(0.5)
    assert stalls(server) == []
    assert server.metric("app_hub_stalls_total") == 0
