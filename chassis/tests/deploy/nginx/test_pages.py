"""The shipped nginx site has pages of its own: for maintenance, for a service that is down, and for its refusals."""

import pytest

from chassis.tests.conftest import ROOT, free_port
from chassis.tests.deploy.site import nginx


def test_a_body_that_is_too_large_is_refused_with_a_page(site):
    status, _, page = site.ask("/api/jobs", "POST", b"", Content_Length="30000000")
    assert status == 413
    assert "larger than this service accepts" in page


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_maintenance_is_a_file(site, method):
    flag = site.www / "maintenance"
    flag.touch()
    try:
        status, headers, page = site.ask("/", method)
        assert (status, headers["Retry-After"]) == (503, "60")
        assert "working on this service" in page
        assert site.ask("/static/app.css")[0] == site.ask("/socket.io/?EIO=4&transport=polling")[0] == 503
    finally:
        flag.unlink()
    assert site.ask("/livez")[0] == 200
    assert site.ask("/maintenance.html")[0] == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_that_is_down_has_a_page(tool, tmp_path, method):
    with nginx(tmp_path, tool, free_port()) as site:
        status, headers, page = site.ask("/", method)
    assert (status, headers["Retry-After"]) == (502, "5")
    assert "not responding right now" in page
    assert headers["Strict-Transport-Security"]


def test_the_pages_need_nothing_else():
    for page in (ROOT / "deploy/nginx/pages").iterdir():
        found = [word for word in ("src=", "url(", "@import", "<link", "<script", "http") if word in page.read_text()]
        assert not found, page
