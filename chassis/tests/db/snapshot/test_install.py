"""A snapshot is fetched, unpacked and installed as one file."""

import re
from pathlib import Path

import pytest

from chassis.db.snapshot.install import read_installed
from chassis.errors import BootError
from chassis.tests.db.snapshot.reading import names, sha


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
