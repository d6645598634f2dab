"""Wrong snapshots: each function puts one on the site, and returns the options of the fetch."""

import gzip

from chassis.base.compression import zstd
from chassis.tests.db.snapshot.reading import sha


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
