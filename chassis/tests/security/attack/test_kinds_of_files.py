"""Neither the name of an uploaded file nor its encoding passes markup off as something else, or fails an upload."""

import mimetypes
from urllib.parse import urlparse

import pytest

from chassis.security.uploads import kind_of


def as_python_3_13(url, strict=True):
    """Return what newer versions of Python do: they read the name as a URL first."""
    urlparse(url)
    return ("text/csv", None) if url.endswith(".csv") else (None, None)


@pytest.mark.parametrize("name", ["//[a.csv", "http://[::1/a.csv", "\\\\[a.csv", "//]\n/a.csv", "a.csv"])
def test_a_name_that_is_no_url_fails_no_upload(monkeypatch, name):
    monkeypatch.setattr(mimetypes, "guess_type", as_python_3_13)
    assert kind_of(b"a,b\n", name) == "text/csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["<script>", " \n<!doctype html>", "\ufeff<svg>"])
def test_markup_is_markup_in_every_encoding(text, encoding):
    begin = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert kind_of(begin + text.encode(encoding), "a.csv") == "text/html"
    assert kind_of(begin + "a,b <c\n".encode(encoding), "a.csv") == "text/csv"
