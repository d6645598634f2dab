"""The snapshot step against a server that misbehaves: the old database stands, or the new one is right."""

import errno
import gzip
import hashlib
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chassis.base.compression import zstd
from chassis.db.snapshot import staging
from chassis.db.snapshot.fetch import SnapshotResult, fetch_snapshot
from chassis.db.snapshot.install import read_installed
from chassis.errors import BootError
from chassis.tests.patience import LIMIT_SECONDS, wait_until

MAX_BYTES = 50_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def target(data: Path) -> Path:
    return data / "app.db"


@pytest.fixture
def fetch(target: Path) -> Callable[..., SnapshotResult]:
    """The step with short times; what it reports is kept in `fetch.said`."""

    def run(url: str, **options: Any) -> SnapshotResult:
        options = {"target": target, "max_bytes": MAX_BYTES, "timeout_seconds": 5, "report": run.said.append} | options
        return fetch_snapshot(url=url, **options)

    run.said = []
    return run


@pytest.fixture
def old(target: Path, make_database: Callable[..., bytes]) -> bytes:
    """A database grown here, already at the target."""
    target.write_bytes(make_database("old"))
    return target.read_bytes()


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def databases(folder: Path) -> list[str]:
    """The databases in the folder; SQLite's own -wal and -shm of a reader may sit beside them."""
    return [name for name in names(folder) if not name.endswith(("-wal", "-shm"))]


def test_a_snapshot_fills_an_empty_place(site, fetch, target, make_database, word_in):
    body = make_database("new")
    site.put("/app.db", body)
    result = fetch(site.url("/app.db"))
    assert (result.outcome, result.sha256, result.replaced) == ("installed", sha(body), None)
    assert result.size_bytes == target.stat().st_size
    assert 0 < result.duration_seconds < 60
    assert word_in(target) == "new"
    assert names(target.parent) == ["app.db"]
    recorded, installed_at = read_installed(target)
    assert recorded == sha(body)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", installed_at)


def test_the_folder_is_made_when_it_is_missing(site, fetch, tmp_path, make_database, word_in):
    site.put("/app.db", make_database("new"))
    fetch(site.url("/app.db"), target=tmp_path / "fresh" / "deep" / "app.db")
    assert word_in(tmp_path / "fresh" / "deep" / "app.db") == "new"


def test_a_snapshot_in_wal_mode_is_installed_as_one_file(site, fetch, target, make_database, word_in):
    site.put("/app.db", make_database("new", wal=True))
    fetch(site.url("/app.db"))
    assert names(target.parent) == ["app.db"]
    assert word_in(target) == "new"


def test_the_checksum_may_come_from_the_settings_in_any_case(site, fetch, target, make_database, word_in):
    body = make_database("new")
    site.put("/app.db", body, sidecar=False)
    fetch(site.url("/app.db"), sha256=sha(body).upper())
    assert word_in(target) == "new"


def test_a_snapshot_from_a_file_url(fetch, target, tmp_path, make_database, word_in):
    source = tmp_path / "a snapshot.db"
    source.write_bytes(make_database("new"))
    Path(f"{source}.sha256").write_text(sha(source.read_bytes()))
    assert fetch(source.as_uri()).outcome == "installed"
    assert word_in(target) == "new"


def test_a_missing_file_is_said(fetch, tmp_path):
    with pytest.raises(BootError, match=r"nothing\.db cannot be read"):
        fetch((tmp_path / "nothing.db").as_uri(), sha256="0" * 64)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("path", ["/app.db.gz", "/app"])
def test_a_packed_file_is_unpacked_whatever_its_name(site, fetch, target, make_database, word_in, path, compress):
    packed = compress(make_database("new"))
    site.put(path, packed)
    assert fetch(site.url(path)).sha256 == sha(packed)
    assert word_in(target) == "new"


def test_gzip_of_several_members_and_padding_is_unpacked(site, fetch, target, make_database, word_in):
    body = make_database("new")
    site.put("/app.db.gz", gzip.compress(body[:5000]) + gzip.compress(body[5000:]) + b"\0" * 512)
    fetch(site.url("/app.db.gz"))
    assert word_in(target) == "new"


def test_zstd_of_several_frames_is_unpacked(site, fetch, target, make_database, word_in):
    body = make_database("new")
    site.put("/app.db.zst", zstd.compress(body[:5000]) + zstd.compress(b"") + zstd.compress(body[5000:]))
    fetch(site.url("/app.db.zst"))
    assert word_in(target) == "new"


def test_a_gzip_name_on_a_plain_database_does_no_harm(site, fetch, target, make_database, word_in):
    site.put("/app.db.gz", make_database("new"))
    fetch(site.url("/app.db.gz"))
    assert word_in(target) == "new"


def test_policy_off_and_no_url_fetch_nothing(site, fetch, target):
    assert fetch(site.url("/app.db"), policy="off").outcome == "off"
    assert fetch("").outcome == "off"
    assert not target.exists()


def test_if_missing_keeps_what_is_there_and_asks_nobody(site, fetch, target, old, make_database):
    file = site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"))
    assert (result.outcome, result.size_bytes) == ("kept", len(old))
    assert target.read_bytes() == old
    assert file.asked == []


def test_an_empty_file_counts_as_missing_and_its_stale_log_goes(site, fetch, target, make_database, word_in):
    target.touch()
    target.with_name("app.db-wal").write_bytes(b"stale")
    site.put("/app.db", make_database("new"))
    assert fetch(site.url("/app.db")).outcome == "installed"
    assert names(target.parent) == ["app.db"]
    assert word_in(target) == "new"


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


def other_sum(site, body):
    site.put("/app.db", body)
    return {"sha256": "1" * 64}


def damaged(site, body):
    site.put("/app.db", body[:8192] + b"\xff" * 8192 + body[16384:])
    return {}


def cut_gzip(site, body):
    site.put("/app.db", gzip.compress(body)[:-100])
    return {}


def bad_gzip(site, body):
    packed = gzip.compress(body)
    site.put("/app.db", packed[:1000] + b"\0" * 1000 + packed[2000:])
    return {}


def cut_zstd(site, body):
    site.put("/app.db", zstd.compress(body)[:-100])
    return {}


def bad_zstd(site, body):
    packed = zstd.compress(body, options={zstd.CompressionParameter.checksum_flag: 1})
    site.put("/app.db", packed[:1000] + b"\0" * 1000 + packed[2000:])
    return {}


def no_room_for_zstd(site, body):
    site.put("/app.db", zstd.compress(body))
    return {"free_bytes": lambda folder: len(body) - 1}


def page_in_gzip(site, body):
    site.put("/app.db", gzip.compress(b"<html>" * 100))
    return {}


def no_sidecar(site, body):
    site.put("/app.db", body, sidecar=False)
    return {}


def empty_sidecar(site, body):
    site.put("/app.db", body)
    site.files["/app.db.sha256"].body = b"\n"
    return {}


def page_as_sidecar(site, body):
    site.put("/app.db", body)
    site.files["/app.db.sha256"].body = f"<p>{sha(body)}</p>".encode()
    return {}


def endless_sidecar(site, body):
    site.put("/app.db", body)
    site.files["/app.db.sha256"].body = body
    return {}


def text_file(site, body):
    site.put("/app.db", b"version https://example.org/spec\noid 1\n")
    return {}


def empty_file(site, body):
    site.put("/app.db", b"")
    return {}


def too_large(site, body):
    site.put("/app.db", body)
    return {"max_bytes": len(body) - 1}


def too_large_without_length(site, body):
    site.put("/app.db", body, "chunked")
    return {"max_bytes": len(body) // 4}


def no_room(site, body):
    site.put("/app.db", body)
    return {"free_bytes": lambda folder: len(body) - 1}


def no_room_to_unpack(site, body):
    packed = gzip.compress(body)
    site.put("/app.db", packed)
    return {"free_bytes": lambda folder: len(packed) + 1}


def redirects(site, body):
    site.put("/app.db", body, "to_itself")
    return {}


def misbehaves(how):
    def prepare(site, body):
        site.put("/app.db", body, how)
        return {}

    return prepare


REFUSED = {
    "a wrong checksum": (other_sum, "upload it again, or correct DATABASE_SNAPSHOT_SHA256"),
    "a damaged database": (damaged, "is a damaged database .*make it again"),
    "a truncated gzip file": (cut_gzip, "gzip file .* is damaged"),
    "a damaged gzip file": (bad_gzip, "gzip file .* is damaged"),
    "a truncated zstd file": (cut_zstd, "zstd file .* is damaged"),
    "a damaged zstd file": (bad_zstd, "zstd file .* is damaged"),
    "no room for what a zstd file says": (no_room_for_zstd, "the disk has .* left: free some space"),
    "a page in gzip": (page_in_gzip, "not a SQLite database"),
    "no checksum": (no_sidecar, r"set DATABASE_SNAPSHOT_SHA256, or put http://.*/app\.db\.sha256 beside it"),
    "an empty checksum": (empty_sidecar, "contains no SHA-256"),
    "a page for a checksum": (page_as_sidecar, "contains no SHA-256"),
    "a huge checksum": (endless_sidecar, "too large for a checksum"),
    "a web page": (misbehaves("page"), "returned a web page: point DATABASE_SNAPSHOT_URL at the file itself"),
    "a text": (text_file, "is not a SQLite database"),
    "an empty file": (empty_file, "is not a SQLite database"),
    "a refusal": (misbehaves("status_403"), "answered 403: check DATABASE_SNAPSHOT_URL"),
    "endless redirects": (redirects, "redirects without a location"),
    "too many bytes": (too_large, "raise DATABASE_SNAPSHOT_MAX_BYTES"),
    "too many bytes, unannounced": (too_large_without_length, "raise DATABASE_SNAPSHOT_MAX_BYTES"),
    "no room on the disk": (no_room, "the disk has .* left: free some space"),
    "no room to unpack": (no_room_to_unpack, "the disk has .* left: free some space"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_at_once_and_the_old_database_stands(site, fetch, data, target, old, make_database, case):
    prepare, sentence = REFUSED[case]
    options = prepare(site, make_database("new"))
    with pytest.raises(BootError, match=sentence) as caught:
        fetch(site.url("/app.db"), policy="refresh", **options)
    assert "\n" not in caught.value.message
    assert target.read_bytes() == old
    assert databases(data) == ["app.db"]
    assert len(site.files["/app.db"].asked) <= 1 or case == "endless redirects"


def test_a_path_that_is_not_there_is_asked_once(site, fetch, data):
    with pytest.raises(BootError, match=r"/app\.db answered 404"):
        fetch(site.url("/app.db"), sha256="0" * 64)
    assert names(data) == []


@pytest.mark.long
@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_a_decompression_bomb_stops_at_the_limit(site, fetch, data, compress, monkeypatch):
    bomb = compress(b"SQLite format 3\0" + b"\0" * 200_000_000, 1)
    site.put("/app.db.gz", bomb)
    sizes, store = [0], staging.Staging._store

    def watched(self, piece: bytes) -> None:
        store(self, piece)
        sizes.extend(path.stat().st_size for path in data.glob(".app.db.download"))

    monkeypatch.setattr(staging.Staging, "_store", watched)
    with pytest.raises(BootError, match="raise DATABASE_SNAPSHOT_MAX_BYTES"):
        fetch(site.url("/app.db.gz"), max_bytes=5_000_000)
    sizes.extend(path.stat().st_size for path in data.glob(".app.db.download"))
    assert 0 < max(sizes) <= 5_000_000
    assert names(data) == []


def test_a_full_disk_is_said_and_cleaned(site, fetch, small_disk, make_database):
    target = small_disk / "app.db"
    target.write_bytes(make_database("old", rows=10))
    old = target.read_bytes()
    site.put("/app.db", make_database("new", rows=1000))
    url = site.url("/app.db")
    with pytest.raises(BootError, match="free some space"):
        fetch(url, target=target, policy="refresh")
    with pytest.raises(BootError, match="The disk is too full for the snapshot: free some space"):
        fetch(url, target=target, policy="refresh", free_bytes=lambda folder: 10**12)
    assert target.read_bytes() == old
    assert names(small_disk) == ["app.db"]


CHILD = """
import sys
from pathlib import Path
from chassis.db.snapshot.fetch import fetch_snapshot
from chassis.errors import BootError
try:
    fetch_snapshot(url=sys.argv[1], target=Path(sys.argv[2]), policy=sys.argv[3], max_bytes=10**9, timeout_seconds=600)
except BootError as error:
    sys.exit(error.message)
"""


def child(url: str, target: Path, policy: str, before: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", before + CHILD, url, str(target), policy]
    root = Path(__file__).resolve().parents[3]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_write_that_fails_midway_is_said_and_cleaned(site, data, target, old, make_database):
    site.put("/app.db", make_database("new", rows=1000))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    process = child(site.url("/app.db"), target, "refresh", before=limit)
    _, said = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert "The disk is too full for the snapshot" in said
    assert target.read_bytes() == old
    assert names(data) == ["app.db"]


def test_a_folder_without_write_permission_is_said(site, fetch, data, make_database):
    site.put("/app.db", make_database("new"))
    (data / ".app.db.download").mkdir()
    with pytest.raises(BootError, match=r"cannot be written to .*make that folder writable"):
        fetch(site.url("/app.db"))


def test_a_killed_download_leaves_the_old_database_and_the_next_start_cleans_up(
    site, fetch, data, target, old, make_database, word_in
):
    site.put("/app.db", make_database("new", rows=2000), "stall")
    process = child(site.url("/app.db"), target, "refresh")
    try:
        temporary = data / ".app.db.download"
        wait_until(lambda: process.poll() or (temporary.exists() and temporary.stat().st_size > 50_000))
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert target.read_bytes() == old
    assert ".app.db.download" in names(data)
    assert fetch(site.url("/app.db"), policy="if-missing").outcome == "kept"
    assert databases(data) == ["app.db"]
    assert word_in(target) == "old"


def test_a_start_killed_between_link_and_rename_leaves_one_name(site, fetch, data, target, old, make_database):
    site.put("/app.db", make_database("new"))
    os.link(target, data / "app-20260102T030405Z.db")
    real = data / "app-20250102T030405Z.db"
    real.write_bytes(old)
    fetch(site.url("/app.db"))
    assert databases(data) == ["app-20250102T030405Z.db", "app.db"]


def test_refresh_takes_a_changed_snapshot_and_keeps_the_old_file(site, fetch, data, target, make_database, word_in):
    first, second = make_database("first"), make_database("second")
    site.put("/app.db", first)
    fetch(site.url("/app.db"), policy="refresh")
    file = site.put("/app.db", first)
    again = fetch(site.url("/app.db"), policy="refresh")
    assert (again.outcome, again.sha256, file.asked) == ("unchanged", sha(first), [])

    site.put("/app.db", second)
    result = fetch(site.url("/app.db"), policy="refresh")
    assert (result.outcome, result.sha256) == ("installed", sha(second))
    assert re.fullmatch(r"app-\d{8}T\d{6}Z\.db", result.replaced.name)
    assert word_in(target) == "second"
    assert word_in(result.replaced) == "first"
    assert databases(data) == [result.replaced.name, "app.db"]
    assert read_installed(target)[0] == sha(second)
    assert read_installed(result.replaced)[0] == sha(first)


def test_two_refreshes_in_one_second_keep_both_files(site, fetch, data, target, make_database, word_in):
    for word in ("one", "two", "three"):
        site.put("/app.db", make_database(word))
        fetch(site.url("/app.db"), policy="refresh")
    assert sorted(word_in(data / name) for name in databases(data)) == ["one", "three", "two"]


def test_local_writes_to_a_snapshot_survive_when_it_did_not_change(site, fetch, target, make_database, word_in):
    site.put("/app.db", make_database("new"))
    fetch(site.url("/app.db"), policy="refresh")
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE words SET word = 'mine'")
        connection.commit()
    assert fetch(site.url("/app.db"), policy="refresh").outcome == "unchanged"
    assert word_in(target) == "mine"


def test_a_database_grown_here_is_kept_when_the_operator_asks_for_a_refresh(
    site, fetch, target, old, make_database, word_in
):
    target.chmod(0o640)
    site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"), policy="refresh")
    assert word_in(target) == "new"
    assert word_in(result.replaced) == "old"
    assert target.stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_left_in_the_log_goes_to_the_kept_file(site, fetch, data, target, old, make_database):
    crash = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("UPDATE words SET word = 'late'")
connection.commit()
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", crash, str(target)])
    assert target.with_name("app.db-wal").stat().st_size > 0
    site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"), policy="refresh")
    assert names(data) == [result.replaced.name, "app.db"]
    with closing(sqlite3.connect(result.replaced)) as connection:
        assert connection.execute("SELECT DISTINCT word FROM words").fetchall() == [("late",)]


def test_a_database_in_use_by_another_process_is_not_replaced(site, fetch, data, target, old, make_database, word_in):
    hold = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("UPDATE words SET word = 'held'")
connection.commit()
print("ready", flush=True)
sys.stdin.read()
"""
    site.put("/app.db", make_database("new"))
    command = [sys.executable, "-c", hold, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(BootError, match="open in another process: stop that process"):
            fetch(site.url("/app.db"), policy="refresh")
        assert databases(data) == ["app.db"]
        assert word_in(target) == "held"
        process.stdin.close()
    assert fetch(site.url("/app.db"), policy="refresh").outcome == "installed"


def test_a_present_database_that_is_damaged_is_left_to_the_operator(site, fetch, target, make_database):
    target.write_bytes(b"not a database at all" * 1000)
    site.put("/app.db", make_database("new"))
    with pytest.raises(BootError, match=r"cannot be read .*move it away, then start again"):
        fetch(site.url("/app.db"), policy="refresh")
    assert target.read_bytes().startswith(b"not a database")


def test_the_old_file_is_copied_where_links_are_impossible(
    site, fetch, target, old, make_database, word_in, monkeypatch
):
    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"), policy="refresh")
    assert word_in(result.replaced) == "old"
    assert names(target.parent) == [result.replaced.name, "app.db"]


@pytest.mark.parametrize("links", [True, False])
def test_a_rename_that_fails_leaves_the_old_database_alone(
    site, fetch, data, target, old, make_database, monkeypatch, links
):
    rename = Path.replace

    def refuse(path: Path, *args: object) -> None:
        if path.name != ".app.db.download":
            return rename(path, *args)
        raise OSError(errno.EIO, "Input/output error")

    def no_links(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    site.put("/app.db", make_database("new"))
    with pytest.raises(BootError, match="Input/output error"):
        fetch(site.url("/app.db"), policy="refresh")
    assert target.read_bytes() == old
    assert names(data) == ["app.db"]


def test_a_snapshot_of_a_running_service_gets_a_record_of_its_own(site, fetch, target, tmp_path, make_database):
    site.put("/app.db", make_database("first"))
    fetch(site.url("/app.db"))
    body = target.read_bytes()
    site.put("/again.db", body)
    copy = tmp_path / "copy.db"
    fetch(site.url("/again.db"), target=copy)
    assert read_installed(copy)[0] == sha(body)


def test_a_database_from_nowhere_has_no_record(target, old):
    assert read_installed(target) is None
    assert read_installed(target.with_name("missing.db")) is None


@pytest.mark.parametrize("how", ["good", "half", "page", "status_403", "status_500", "to_itself", "reset"])
def test_no_secret_of_the_url_is_said_or_logged(site, fetch, caplog, make_database, how):
    caplog.set_level(logging.DEBUG)
    file = site.put("/app.db", make_database("new"), how)
    url = site.url("/app.db?X-Signature=topsecret#hidden", user="someone:hunter2@")
    said = ""
    try:
        fetch(url, timeout_seconds=0.6)
    except BootError as error:
        said = f"{error.message} {error!r}"
    assert (how == "good") == (said == "")
    assert all(path == "/app.db?X-Signature=topsecret" for path in file.paths)
    everything = said + caplog.text + " ".join(fetch.said)
    for secret in ("topsecret", "hunter2", "someone", "hidden"):
        assert secret not in everything


def test_the_sidecar_is_asked_with_the_same_query_and_user(site, fetch, make_database):
    site.put("/app.db", make_database("new"))
    fetch(site.url("/app.db?key=1", user="me:pw@"))
    assert site.files["/app.db.sha256"].paths == ["/app.db.sha256?key=1"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/hunter2",
        "s3://hunter2",
        "s3://hunter2@b/x",
        "http://[hunter2/",
        "http://u:hunter2/x@host/y",
        "file://hunter2/x",
        "hunter2",
        "http:///x",
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(fetch, url):
    with pytest.raises(BootError, match="DATABASE_SNAPSHOT_URL is not a valid") as caught:
        fetch(url)
    assert "hunter2" not in caught.value.message


def test_progress_is_reported_in_megabytes_and_not_too_often(site, fetch, make_database):
    body = make_database("new")
    site.put("/app.db", body, "drip")
    started = time.monotonic()
    fetch(site.url("/app.db"))
    lines = [line for line in fetch.said if line.startswith("snapshot: ")]
    assert 2 <= len(lines) <= time.monotonic() - started + 2
    assert all(re.fullmatch(r"snapshot: \d+\.\d of \d+\.\d MB \(\d+ %\)", line) for line in lines)
    assert lines[-1] == f"snapshot: {len(body) / 1e6:.1f} of {len(body) / 1e6:.1f} MB (100 %)"
