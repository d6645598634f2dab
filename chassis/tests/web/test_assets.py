"""Static files have names with a hash, which browsers keep; other names are asked for each time."""

import os
import re

import pytest
from flask import url_for

from app import create_app
from chassis.settings import Settings
from chassis.tests.web.test_compressing import unpacked
from chassis.web.assets import Assets

HASHED = re.compile(r'"(/static/[^"]*v-[0-9a-f]{12}/[^"?]+)"')
OLD = "v-000000000000/"
FOR_A_YEAR = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    return create_app(Settings(app_env="test", database_url=f"sqlite:///{folder}/app.db"))


@pytest.fixture
def client(app):
    return app.test_client()


def test_what_a_page_links_to_is_kept_for_a_year(client):
    links = HASHED.findall(client.get("/api/docs").text)
    assert len(links) >= 3
    for link in links:
        answer = client.get(link)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, FOR_A_YEAR)


def test_every_blueprint_has_names_of_its_own(app):
    with app.test_request_context():
        for name in [name for name, blueprint in app.blueprints.items() if blueprint.static_folder]:
            url = url_for(f"{name}.static", filename="x.js")
            assert re.fullmatch(rf"/static/{name.removesuffix('_files')}/v-\w+/x\.js", url)


def test_a_name_without_a_hash_and_one_with_an_old_hash_are_asked_for_each_time(client):
    for path in ("/static/app.css", f"/static/{OLD}app.css"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_file_is_compressed_once(client, monkeypatch, encoding):
    asked = {"Accept-Encoding": encoding}
    plain, first = client.get("/static/app.css"), client.get("/static/app.css", headers=asked)
    monkeypatch.setattr("chassis.web.assets.whole", None)
    again = client.get("/static/app.css", headers=asked)
    assert first.data == again.data
    assert unpacked(again.data, encoding) == plain.text
    assert again.headers["ETag"].startswith('W/"')
    assert (plain.headers["Vary"], again.headers["Vary"]) == ("Accept-Encoding", "Accept-Encoding")
    assert client.get("/static/app.css", headers={**asked, "If-None-Match": again.headers["ETag"]}).status_code == 304


def test_a_range_is_of_the_file_itself(client):
    whole = client.get("/static/app.css").data
    part = client.get("/static/app.css", headers={"Accept-Encoding": "gzip", "Range": "bytes=5-9"})
    assert (part.status_code, part.data) == (206, whole[5:10])


@pytest.mark.parametrize("path", [OLD, f"{OLD}../app.py", "../pages.py", f"{OLD}none.css"])
def test_nothing_else_is_served(client, path):
    assert client.get(f"/static/{path}", headers={"Accept-Encoding": "gzip"}).status_code == 404


def test_modules_that_name_one_another_have_the_same_hash(app):
    with app.test_request_context():
        one, other = (url_for("static", filename=name) for name in ("live.js", "vendor/x.js"))
    assert one.rpartition("/")[0] == other.removesuffix("/vendor/x.js")


def test_a_changed_file_has_another_name_at_once_in_development_only(tmp_path):
    file = tmp_path / "a.js"
    file.write_text("one")
    changing, fixed = Assets(tmp_path, fixed=False), Assets(tmp_path, fixed=True)
    before = changing.tag()
    assert fixed.tag() == before
    file.write_text("two")
    os.utime(file, (1, 1))
    assert changing.tag() != before
    assert fixed.tag() == before
