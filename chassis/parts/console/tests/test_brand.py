"""The service's own name, colour and logo: on every page, for everybody, and nothing that is no picture."""

import re
import shutil
import struct
import zlib
from io import BytesIO

import pytest
from pydantic import SecretStr

from chassis.base.service import current
from chassis.db import db
from chassis.parts.console import colours
from chassis.parts.console.brand import Brands
from chassis.settings import Settings
from chassis.wiring import wiring_of


def png(width=4, height=4):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x10\x80\x70" * width for _ in range(min(height, 10))))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def save(client, **fields):
    client.set_cookie("tester", "admin")
    page = client.get("/admin/console/settings").text
    token = re.search(r'name="csrf_token" value="(\w+)"', page)[1]
    sent = {"csrf_token": token, **fields}
    return client.post("/admin/console/brand", data=sent, headers={"Origin": "http://localhost"})


def upload(data, name="logo.png"):
    return (BytesIO(data), name)


def test_name_colour_and_logo_are_on_every_page_and_outlive_a_restart(make):
    assert save(make(), name=" Herons & Co ", colour="#7A1FA2", logo=upload(png())).status_code == 303
    visitor = make()
    page = visitor.get("/no-such-page", headers={"Accept": "text/html"}).text
    assert "<title>Page not found · Herons &amp; Co</title>" in page
    style, logo = (
        re.search(pattern, page)[1] for pattern in ('href="(/brand/style.css[^"]*)"', 'src="(/brand/logo[^"]*)"')
    )
    sheet = visitor.get(style)
    assert (sheet.mimetype, "--accent: light-dark(#7a1fa2, " in sheet.text) == ("text/css", True)
    picture = visitor.get(logo)
    assert (picture.mimetype, picture.data) == ("image/png", png())
    again = visitor.get(logo, headers={"If-None-Match": picture.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    changed = make()
    save(changed, name="", colour="#7a1fa2", plain="true")
    assert 'class="logo"' in changed.get("/admin/keys").text, "what is not said stays"
    save(changed, name="", colour="", remove_logo="true")
    page = changed.get("/admin/audit").text
    assert "/brand/" not in page
    assert page.count("brand.change") == 3
    assert changed.get("/brand/logo.png").status_code == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 415),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, 415),
        (b"\x89PNG\r\n\x1a\n", 415),
        (b"GIF89a" + b"\0" * 50, 415),
        (png(5_000, 4), 413),
        (png() + b"\0" * 100_000, 413),
    ],
)
def test_what_is_no_small_png_is_refused_whatever_its_name(make, data, status):
    client = make()
    assert save(client, name="x", logo=upload(data)).status_code == status
    assert f"<title>Console · {current().name}</title>" in client.get("/admin/console").text


@pytest.mark.parametrize("fields", [{"name": "x" * 61}, {"colour": "red"}, {"colour": "#fff;}"}, {"name": "\x00"}])
def test_mistakes_of_the_form_are_refused(make, fields):
    assert save(make(), **fields).status_code == 400


@pytest.mark.parametrize("type_", ["application/json", "text/plain", "application/octet-stream", ""])
def test_what_is_no_form_is_refused_and_changes_nothing(make, type_):
    client = make()
    assert save(client, name="Herons").status_code == 303
    token = re.search(r'name="csrf-token" content="(\w+)"', client.get("/admin/console").text)[1]
    headers = {"Origin": "http://localhost", "X-CSRF-Token": token}
    refused = client.post("/admin/console/brand", data="{}", content_type=type_, headers=headers)
    assert refused.status_code == 415
    assert "Herons" in client.get("/admin/console").text


def test_of_two_logos_none_is_taken(make):
    client = make()
    assert save(client, name="Herons", logo=[upload(png(), "one.png"), upload(png(5), "two.png")]).status_code == 400
    assert save(client, name="Herons", logo=upload(png(), "one.png"), picture=upload(png(), "2.png")).status_code == 400
    assert client.get("/brand/logo.png").status_code == 404


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ffff00", "#7a1fa2", "#0f6b64", "#808080"])
def test_every_colour_is_made_readable_on_light_and_dark(colour):
    pairs = dict(re.findall(r"--([\w-]+): light-dark\((.*)\);", colours.stylesheet(colour)))
    found = {name: [colours._rgb(part) for part in pair.split(", ")] for name, pair in pairs.items()}
    for at, card in enumerate((colours.LIGHT_CARD, colours.DARK_CARD)):
        accent = found["accent"][at]
        assert colours.contrast(accent, colours._rgb(card)) >= 4.4
        assert colours.contrast(accent, found["soft"][at]) >= 4.4
        assert colours.contrast(accent, found["on-accent"][at]) >= 4.4


def test_pages_are_shown_while_the_database_is_away(make, tmp_path):
    client = make()
    save(client, name="Herons", colour="")
    shutil.move(tmp_path / "app.db", tmp_path / "away")
    wiring_of(client.application).kept[Brands]._read_at = float("-inf")
    db.close()
    db.open(Settings(app_env="test", database_url=SecretStr(f"sqlite:///{tmp_path}/none/app.db")))
    assert "Herons" in client.get("/api/docs").text
