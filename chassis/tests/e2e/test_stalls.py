"""Code that holds up the hub is named in the log."""

import json
import re
import threading

import pytest

from chassis.tests.conftest import ASYNC_MODE

needs_a_hub = pytest.mark.skipif(ASYNC_MODE == "threading", reason="real threads have no hub")


def stalls(server):
    return [json.loads(line) for line in server.log.splitlines() if '"hub_stalled"' in line]


def look_often(server, wait_for):
    """Wait until the hub was looked at ten times more, which shows a stall that is over."""
    before = server.metric("app_hub_lag_seconds_count")
    wait_for(lambda: server.metric("app_hub_lag_seconds_count") >= before + 10)


def block_until(server, condition, file, wait_for):
    """Hold up the hub until a condition is true."""
    thread = threading.Thread(target=server.get, args=(f"/block-until?file={file}",))
    thread.start()
    try:
        wait_for(condition)
    finally:
        file.touch()
        thread.join()


def test_a_handler_that_blocks_is_logged_once_with_its_stack(serve_slow, tmp_path, wait_for):
    server = serve_slow(HUB_STALL_SECONDS="3")
    server.get("/block?seconds=0.1")
    server.get("/slow?seconds=4")
    assert stalls(server) == []
    if ASYNC_MODE == "threading":
        server.get("/block?seconds=4")
        look_often(server, wait_for)
        assert stalls(server) == []
        return
    block_until(server, lambda: stalls(server), tmp_path / "first", wait_for)
    look_often(server, wait_for)
    (stall,) = stalls(server)
    assert "in block" in stall["stack"]
    assert "drain_app.py" in stall["stack"].splitlines()[-2]
    assert stall["seconds"] >= 3
    assert stall["level"] == "warning"
    assert server.metric("app_hub_stalls_total") == 1
    block_until(server, lambda: len(stalls(server)) == 2, tmp_path / "second", wait_for)
    look_often(server, wait_for)
    assert server.metric("app_hub_stalls_total") == 2
    assert len(stalls(server)) == 2


@needs_a_hub
def test_people_read_a_sentence_at_most_once_a_minute(serve_slow, tmp_path, wait_for):
    server = serve_slow(HUB_STALL_SECONDS="3", LOG_FORMAT="console")

    def sentences():
        return [line for line in server.log.splitlines() if "hub_stalled" in line]

    block_until(server, sentences, tmp_path / "first", wait_for)
    (sentence,) = sentences()
    assert re.search(r"hub_stalled: chassis/tests/e2e/drain_app.py:\d+ in block blocks .* for \d+\.\d s$", sentence)
    server.get("/block?seconds=5")
    look_often(server, wait_for)
    assert server.metric("app_hub_stalls_total") >= 2
    assert sentences() == [sentence]


@pytest.mark.long
def test_it_can_be_turned_off(serve_slow, wait_for):
    server = serve_slow(HUB_STALL_SECONDS="0")
    server.get("/block?seconds=1.5")
    look_often(server, wait_for)
    assert stalls(server) == []
    assert server.metric("app_hub_stalls_total") == 0
