"""A file or an answer that is wrong is refused at once, and the old database stands."""

import pytest

from chassis.errors import BootError
from chassis.tests.db.snapshot.faults import (
    bad_gzip,
    bad_zstd,
    cut_gzip,
    cut_zstd,
    damaged,
    empty_file,
    empty_sidecar,
    endless_sidecar,
    misbehaves,
    no_room,
    no_room_for_zstd,
    no_room_to_unpack,
    no_sidecar,
    other_sum,
    page_as_sidecar,
    page_in_gzip,
    redirects,
    text_file,
    too_large,
    too_large_without_length,
)
from chassis.tests.db.snapshot.reading import databases, names

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
