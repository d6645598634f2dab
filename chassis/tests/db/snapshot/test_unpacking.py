"""Packed snapshots are unpacked, and stop at the limit of bytes."""

import gzip

import pytest

from chassis.base.compression import zstd
from chassis.db.snapshot import staging
from chassis.errors import BootError
from chassis.tests.db.snapshot.reading import names, sha


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
