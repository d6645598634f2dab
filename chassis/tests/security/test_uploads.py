"""An upload is what its content says; its name only says what kind of text a text is."""

import json
import uuid

import pytest

from chassis.security.uploads import kind_of

EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(200)
ELF = b"\x7fELF\x02\x01\x01" + bytes(60)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
XLSX = b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(60)


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.png", ""])
@pytest.mark.parametrize("data", [EXE, ELF, XLSX, bytes(10), b"a,b\n1,\x01\n", b"\xff\xfea\x00\x00\x00"])
def test_what_is_binary_is_no_text_whatever_its_name(data, name):
    assert not kind_of(data, name).startswith("text/")


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"a,b\n1,2\n", "a.csv", "text/csv"),
        (b"a\tb\n", "a.tsv", "text/tab-separated-values"),
        (b"a,b\n", "a.exe", "text/plain"),
        (b"a,b\n", "a.html", "text/plain"),
        (b"a,b\n", "", "text/plain"),
        (b"", "a.csv", "text/csv"),
        (b"MZ_ratio,intensity\n1,2\n", "a.csv", "text/csv"),  # as an exe begins
        (b"BM,weight\n1,2\n", "a.csv", "text/csv"),  # and a bitmap
        ("\ufeffÅ,ß\n".encode(), "a.csv", "text/csv"),
        ("Å,ß\n".encode("latin-1"), "a.csv", "text/csv"),  # who reads it says what is wrong with it
        ("a,b\n".encode("utf-16"), "a.csv", "text/csv"),
        (b"<!doctype html><script>alert(1)</script>", "a.csv", "text/html"),
        (b"\xef\xbb\xbf\n <svg onload='alert(1)'>", "a.csv", "text/html"),
        (b"#!/bin/sh\nid\n", "a.csv", "text/x-script"),
        (b"%PDF-1.4\n", "a.csv", "application/pdf"),
        (PNG, "a.csv", "image/png"),
    ],
)
def test_a_file_is_what_its_content_says(data, name, kind):
    assert kind_of(data, name) == kind


def send(server, name: str, data: bytes) -> tuple[int, dict]:
    boundary = uuid.uuid4().hex
    fields = f'--{boundary}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n{{a}}\r\n--{boundary}\r\n'
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    body = (fields + head).encode() + data + f"\r\n--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    status, text = server.request("POST", "/api/bodies", body, kind)
    return status, json.loads(text)


def test_an_exe_that_is_called_csv_is_refused_in_words(site):
    status, answer = send(site, "cells.csv", EXE)
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
    assert "accepted types: text/csv." in answer["error"]["message"]


def test_a_control_character_in_a_text_is_told_by_its_line(site):
    status, answer = send(site, "cells.csv", b"a,b\n1,2\n3,\x07\n")
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
    assert "Line 3 contains the control character U+0007" in answer["error"]["message"]


def test_a_type_that_is_not_listed_is_refused_and_one_that_is_listed_not_taken_everywhere(site):
    assert send(site, "a.csv", b"a\n1\n")[0] == 202
    assert send(site, "a.tsv", b"a\n1\n")[0] == 415
    assert send(site, "a.pdf", b"%PDF-1.4\n")[0] == 415
