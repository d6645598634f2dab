"""Stored files are served whole and in ranges, with a version and a harmless name, and never as a page."""

import io

import pytest
from flask import Flask
from gunicorn.http.wsgi import FileWrapper

from chassis.files import StoredFile, serving
from chassis.tests.files.conftest import ask, picture, send

CONTENT = b"".join(b"%06d\n" % number for number in range(20_000))


@pytest.fixture
def path(site):
    """The path of the content of a stored file of 140 kB."""
    (made,) = send(site, ("numbers.txt", CONTENT)).json()["items"]
    return f"{made['id']}/content"


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-6", 206, 0, 6),
        ("bytes=70000-139999", 206, 70_000, 139_999),
        ("bytes=139993-", 206, 139_993, 139_999),
        ("bytes=-7", 206, 139_993, 139_999),
        ("bytes=7-999999", 206, 7, 139_999),
        ("bytes=0-1,5-6", 200, 0, 139_999),
        ("bytes=0-10,5-15", 200, 0, 139_999),
        ("bytes=-999999", 200, 0, 139_999),
        ("bytes=abc", 200, 0, 139_999),
        ("lines=0-5", 200, 0, 139_999),
    ],
)
def test_a_range_is_what_was_asked_for(site, path, asked, status, first, last):
    answer = ask(site, path, Range=asked, Accept_Encoding="gzip")
    assert (answer.status_code, answer.content) == (status, CONTENT[first : last + 1])
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == str(last + 1 - first)
    if status == 206:
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/140000"


class Counted(io.BytesIO):
    """Content that counts the bytes that are read."""

    count = 0

    def read(self, size=-1):
        piece = super().read(size)
        self.count += len(piece)
        return piece


def test_nothing_before_a_range_is_read(monkeypatch):
    content = Counted(bytes(1_000_000))
    monkeypatch.setattr(serving, "opened", lambda file: content)
    file = StoredFile("0" * 32, "", "", "a.txt", "text/plain", 1_000_000, "0" * 64, 0.0)
    given = {"headers": {"Range": "bytes=999990-"}, "environ_overrides": {"wsgi.file_wrapper": FileWrapper}}
    with Flask(__name__).test_request_context(**given):
        answer = serving.send(file)
        assert (answer.status_code, b"".join(answer.response)) == (206, bytes(10))
    assert content.count == 10


def test_a_range_behind_the_end_is_refused(site, path):
    assert ask(site, path, Range="bytes=140000-").status_code == 416


def test_another_version_than_the_one_asked_for_is_not_sent(site, path):
    refused = ask(site, path, If_Match='"another"')
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "precondition_failed")
    assert ask(site, path, If_Match=ask(site, path, "HEAD").headers["ETag"]).content == CONTENT


def test_the_head_of_a_part_is_that_of_the_whole(site, path):
    head = ask(site, path, "HEAD", Range="bytes=0-6")
    assert (head.status_code, head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (200, "140000", "bytes")


def test_what_has_not_changed_is_not_sent_again(site, path):
    tag = ask(site, path, "HEAD").headers["ETag"]
    assert ask(site, path, If_None_Match=tag).status_code == 304
    assert ask(site, path, Range="bytes=0-6", If_Range=tag).status_code == 206
    assert ask(site, path, Range="bytes=0-6", If_Range='"another"').status_code == 200


def test_a_download_is_never_a_page_and_never_cached(site, path):
    headers = ask(site, path).headers
    assert headers["Content-Disposition"] == "attachment; filename=numbers.txt"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Accept-Ranges"] == "bytes"
    assert ask(site, f"{path}?inline=1").headers["Content-Disposition"].startswith("attachment")


def test_a_name_in_any_script_arrives(site):
    (made,) = send(site, ("Größe.csv", b"a,b\n")).json()["items"]
    disposition = ask(site, f"{made['id']}/content").headers["Content-Disposition"]
    assert disposition == "attachment; filename=Gr__e.csv; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv"


def test_an_image_may_be_shown_in_place(site):
    (made,) = send(site, ("a.png", picture())).json()["items"]
    answer = ask(site, f"{made['id']}/content?inline=true")
    assert answer.headers["Content-Disposition"] == "inline; filename=a.png"
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("image/png", "private, no-cache")
