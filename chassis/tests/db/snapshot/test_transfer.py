"""A download that breaks off goes on where it stopped, and one without progress is given up."""

import gzip
import re
import socket
import time

import pytest

from chassis.errors import BootError
from chassis.tests.db.snapshot.reading import names, sha


def test_a_broken_connection_goes_on_where_it_stopped(site, fetch, target, make_database, word_in):
    body = make_database("new")
    file = site.put("/app.db", body, "half", times=1)
    fetch(site.url("/app.db"))
    assert file.asked == [None, f"bytes={len(body) // 2}-"]
    assert word_in(target) == "new"


def test_a_broken_gzip_goes_on_where_it_stopped(site, fetch, target, make_database, word_in):
    packed = gzip.compress(make_database("new"))
    file = site.put("/app.db.gz", packed, "half", times=1)
    fetch(site.url("/app.db.gz"))
    assert file.asked[1] == f"bytes={len(packed) // 2}-"
    assert word_in(target) == "new"


@pytest.mark.parametrize("how", ["half_from_zero", "wrong_place", "chunked"])
def test_a_server_without_ranges_starts_from_zero(site, fetch, target, make_database, word_in, how):
    site.put("/app.db", make_database("new"), how, times=2 if how == "wrong_place" else 1)
    if how != "wrong_place":
        site.files["/app.db"].etag = ""
    fetch(site.url("/app.db"))
    assert word_in(target) == "new"


def test_a_server_that_ignores_range_is_understood(site, fetch, target, make_database, word_in):
    body = make_database("new")
    file = site.put("/app.db", body, "half_then_whole")
    fetch(site.url("/app.db"))
    assert file.asked == [None, f"bytes={len(body) // 2}-"]
    assert word_in(target) == "new"


def test_a_file_that_changed_meanwhile_is_not_mixed(site, fetch, target, make_database, word_in):
    before, after = make_database("before"), make_database("after")
    file = site.put("/app.db", before, "half", times=1)

    def change(message: str) -> None:
        if "trying again" in message:
            file.body, file.etag = after, '"2"'

    fetch(site.url("/app.db"), sha256=sha(after), report=change)
    assert file.asked[1]
    assert word_in(target) == "after"


@pytest.mark.parametrize("how", ["status_500", "status_429", "reset"])
def test_passing_faults_are_tried_again(site, fetch, target, make_database, word_in, how):
    file = site.put("/app.db", make_database("new"), how, times=2)
    fetch(site.url("/app.db"))
    assert len(file.asked) == 3
    assert word_in(target) == "new"


def test_a_stalled_connection_is_replaced_within_the_time(site, fetch, target, make_database, word_in):
    file = site.put("/app.db", make_database("new"), "stall", times=1)
    fetch(site.url("/app.db"), timeout_seconds=6)
    assert len(file.asked) == 2
    assert word_in(target) == "new"


def test_a_slow_server_that_moves_is_not_given_up(site, fetch, target, make_database, word_in):
    site.put("/app.db", make_database("new"), "drip")
    result = fetch(site.url("/app.db"), timeout_seconds=1.2)
    assert result.duration_seconds > 1.5
    assert word_in(target) == "new"


@pytest.mark.parametrize("how", ["half", "half_from_zero", "stall", "status_500", "reset"])
def test_a_server_that_never_gets_on_is_given_up(site, fetch, data, target, old, make_database, how):
    site.put("/app.db", make_database("new"), how)
    started = time.monotonic()
    with pytest.raises(BootError, match=r"made no progress for 1 s \(.+\): check the server"):
        fetch(site.url("/app.db"), policy="refresh", timeout_seconds=1)
    assert time.monotonic() - started >= 1
    assert target.read_bytes() == old
    assert names(data) == ["app.db"]


def test_nobody_listening_is_given_up_in_time(fetch, data):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/app.db"
        with pytest.raises(BootError, match="no connection"):
            fetch(url, timeout_seconds=0.5)
    assert names(data) == []


def test_progress_is_reported_in_megabytes_and_not_too_often(site, fetch, make_database):
    body = make_database("new")
    site.put("/app.db", body, "drip")
    started = time.monotonic()
    fetch(site.url("/app.db"))
    lines = [line for line in fetch.said if line.startswith("snapshot: ")]
    assert 2 <= len(lines) <= time.monotonic() - started + 2
    assert all(re.fullmatch(r"snapshot: \d+\.\d of \d+\.\d MB \(\d+ %\)", line) for line in lines)
    assert lines[-1] == f"snapshot: {len(body) / 1e6:.1f} of {len(body) / 1e6:.1f} MB (100 %)"
