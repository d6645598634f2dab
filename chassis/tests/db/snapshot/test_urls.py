"""Secrets of a snapshot's URL are never repeated, and a wrong URL is refused."""

import logging

import pytest

from chassis.errors import BootError


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
