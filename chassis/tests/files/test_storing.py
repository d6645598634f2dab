"""Files are stored under ids of ours, judged by their content, and refused when they are too large or too many."""

import http.client
import random
import socket

import pytest
import requests
from werkzeug.datastructures import FileStorage

from chassis.files.incoming import Batch, Incoming
from chassis.files.model import made_at, new_id, safe_name
from chassis.security.uploads import kind_of
from chassis.settings import Settings
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.files.conftest import ask, send, stored
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ADMIN, CLIENT, OTHER
from chassis.tests.security.test_uploads import ELF, EXE, PNG, XLSX

CSV = b"name,count\nvibrio,2\n"


def test_files_come_back_as_they_were_sent(site):
    made = send(site, ("a.csv", CSV), ("b.txt", b"plain " * 40_000))
    assert made.status_code == 201, made.text
    first, second = made.json()["items"]
    assert (first["name"], first["kind"], first["size"]) == ("a.csv", "text/csv", len(CSV))
    assert ask(site, f"{first['id']}/content").content == CSV
    assert ask(site, f"{second['id']}/content").content == b"plain " * 40_000
    assert ask(site, second["id"]).json() == second
    names = {path.name for path in stored(site)}
    assert {first["id"], second["id"]} <= names
    assert all(path.stat().st_mode & 0o077 == 0 for path in stored(site))


def test_an_empty_file_is_a_file(site):
    (made,) = send(site, ("empty.txt", b"")).json()["items"]
    assert ask(site, f"{made['id']}/content").content == b""


def test_a_deleted_file_is_gone_from_the_disk(site):
    (made,) = send(site, ("a.csv", CSV)).json()["items"]
    assert ask(site, made["id"], "DELETE").json() == made
    assert ask(site, f"{made['id']}/content").status_code == 404
    assert made["id"] not in {path.name for path in stored(site)}


def test_files_belong_to_whoever_sent_them(site):
    (made,) = send(site, ("a.csv", CSV)).json()["items"]
    for path, method in ((made["id"], "GET"), (f"{made['id']}/content", "GET"), (made["id"], "DELETE")):
        assert ask(site, path, method, key=OTHER).status_code == 404
    assert made["id"] not in {item["id"] for item in ask(site, "", key=OTHER).json()["items"]}
    assert made["id"] in {item["id"] for item in ask(site, "").json()["items"]}
    assert ask(site, f"{made['id']}/content", key=ADMIN).content == CSV
    assert ask(site, f"{made['id']}/content", key="").status_code == 401


@pytest.mark.parametrize("content", [EXE, ELF, XLSX, b"<!doctype html><script>alert(1)</script>", b"#!/bin/sh\n"])
def test_what_is_of_another_type_is_refused_whatever_its_name(site, content):
    before = len(stored(site))
    answer = send(site, ("good.csv", CSV), ("bad.csv", content))
    assert answer.status_code == 415
    assert "bad.csv is " in answer.json()["error"]["message"]
    assert len(stored(site)) == before  # the good one neither


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("a.txt", b"x" * 300_001)], "at most 300,000 bytes"),
        ([("a.txt", b"x" * 290_000)] * 3, "800,000 bytes together"),
        ([("a.txt", b"x")] * 5, "at most 4 files"),
        ([("a.txt", b"x" * 1_500_000)], "larger than this service accepts"),
    ],
)
def test_what_is_above_a_limit_is_refused_and_nothing_stays(site, files, said):
    before = len(stored(site))
    answer = send(site, *files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")
    assert said in answer.json()["error"]["message"]
    wait_until(lambda: len(stored(site)) == before)


def test_a_form_without_files_is_refused_in_words(site):
    answer = send(site)
    assert answer.status_code in (400, 415)


def test_a_file_in_another_field_is_not_dropped_in_silence(site):
    before = len(stored(site))
    parts = [("files", ("a.csv", CSV)), ("file", ("b.csv", CSV))]
    refused = requests.post(f"{site.url}/api/files", files=parts, headers={"X-API-Key": CLIENT}, timeout=LIMIT_SECONDS)
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "file has a file: send all as files.")
    wait_until(lambda: len(stored(site)) == before)


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(site):
    before = len(stored(site))
    with socket.create_connection(("127.0.0.1", site.port), timeout=LIMIT_SECONDS) as client:
        head = f"POST /api/files HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {CLIENT}\r\nContent-Length: 280000\r\n"
        part = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        client.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n{part}".encode() + b"x" * 200_000)
        wait_until(lambda: len(stored(site)) > before)
    wait_until(lambda: len(stored(site)) == before)


def test_a_chunked_upload_is_stored_too(site):
    boundary = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    pieces = [boundary, *[b"y" * 10_000] * 20, b"\r\n--b--\r\n"]
    client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=LIMIT_SECONDS)
    headers = {"Content-Type": "multipart/form-data; boundary=b", "X-API-Key": CLIENT}
    client.request("POST", "/api/files", iter(pieces), headers, encode_chunked=True)
    assert client.getresponse().status == 201


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("a.csv", "text/csv", "a.csv"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\temp\\a.png", "image/png", "a.png"),
        ("photo.exe", "image/png", "photo.exe.png"),
        ("Größe 1.csv", "text/csv", "Größe 1.csv"),
        ("a\r\nSet-Cookie: b.csv", "text/csv", "aSet-Cookie: b.csv"),
        ("\u202etxt.exe", "text/plain", "txt.exe.txt"),
        ("...", "application/pdf", "file.pdf"),
        ("", "application/pdf", "file.pdf"),
        ("x" * 5_000 + ".csv", "text/csv", "x" * 150 + ".csv"),
    ],
)
def test_a_name_for_downloads_is_safe(given, kind, name):
    assert safe_name(given, kind) == name


def test_an_id_tells_its_time_and_other_names_tell_none():
    assert made_at(new_id()) > 1_700_000_000
    assert [made_at(name) for name in ("", "a.part", "z" * 32, f".{'0' * 31}")] == [None] * 4


@same_in_every_mode
def test_pieces_are_judged_as_the_whole_is(tmp_path):
    chance = random.Random(1)
    wide = "a,é,𝄞\n".encode("utf-16")
    samples = [
        EXE,
        ELF,
        PNG,
        XLSX,
        CSV,
        wide,
        wide[:-1],
        wide * 999,
        b"",
        b"a",
        b"\xff",
        b"\xff\xfe",
        b"a" * 9_000 + b"\x00",
    ]
    samples += [bytes(chance.choices([0, 9, 10, 65, 255, 254], [1, 5, 5, 90, 9, 9], k=12)) for _ in range(200)]
    for sample in samples:
        file = _arrived(sample, tmp_path, chance)
        assert file.kind("a.csv").startswith("text/") == kind_of(sample, "a.csv").startswith("text/"), sample[:40]
        assert file.read() == sample


def _arrived(sample: bytes, folder, chance) -> Incoming:
    file = Batch(Settings(app_env="test"), folder).add()
    at = 0
    while at < len(sample):
        size = chance.randrange(1, 5_000)
        file.write(sample[at : at + size])
        at += size
    file.seek(0)
    assert FileStorage(file).stream is file
    return file
