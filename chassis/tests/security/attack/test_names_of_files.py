"""The name of an uploaded file is the client's: whatever it looks like, it only tells kinds of text apart."""

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
