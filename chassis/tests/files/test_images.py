"""Images are re-encoded, without what they carried, or refused; a bomb costs neither memory nor time."""

import io
import resource
import struct
import zlib

import pytest

from chassis.errors import UnsupportedMediaType
from chassis.files import images
from chassis.settings import Settings
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.files.conftest import ask, picture, send, stored

library = pytest.importorskip("PIL.Image")
HIDDEN = b"<script>alert(1)</script>"
pytestmark = same_in_every_mode


def content(site, made) -> bytes:
    return ask(site, f"{made['id']}/content").content


def image(data: bytes):
    return library.open(io.BytesIO(data))


def with_exif() -> bytes:
    """Return a JPEG whose EXIF says that it lies on its side, and where it was taken."""
    exif = library.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    return picture((40, 30), ending="jpg", exif=exif)


def test_an_image_is_turned_upright_and_loses_what_it_carried(site):
    given = with_exif() + HIDDEN
    assert b"taken at home" in given
    (made,) = send(site, ("a.jpg", given)).json()["items"]
    anew = content(site, made)
    assert (made["kind"], image(anew).size) == ("image/jpeg", (30, 40))
    assert b"taken at home" not in anew
    assert HIDDEN not in anew
    assert made["size"] == len(anew)


def test_a_comment_in_an_image_is_not_kept(site):
    given = picture(ending="jpg", comment=HIDDEN)
    assert HIDDEN in given
    (made,) = send(site, ("a.jpg", given)).json()["items"]
    assert HIDDEN not in content(site, made)


@pytest.mark.parametrize(("ending", "kind"), [("png", "png"), ("jpg", "jpeg"), ("webp", "webp"), ("gif", "png")])
def test_each_format_is_written_anew(site, ending, kind):
    (made,) = send(site, (f"a.{ending}", picture(ending=ending))).json()["items"]
    assert made["kind"] == f"image/{kind}"
    assert made["name"] == (f"a.{ending}" if ending != "gif" else "a.gif.png")
    assert image(content(site, made)).size == (40, 30)


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims, and has, that many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * 1_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_size(site):
    before = len(stored(site))
    answer = send(site, ("bomb.png", bomb(100_000, 100_000)))
    assert answer.status_code == 413
    assert "100,000 x 100,000 pixels; the limit is 1,000,000" in answer.json()["error"]["message"]
    assert len(stored(site)) == before


def many_scans() -> bytes:
    """Return a JPEG of 800 kB whose decoder passes over all of its blocks ten thousand times."""
    file = io.BytesIO()
    library.new("L", (4_000, 4_000), 128).save(file, "JPEG", progressive=True)
    head, mark, last = file.getvalue().rpartition(b"\xff\xda")
    return head + 10_000 * (mark + last[:-2]) + last[-2:]


def many_frames() -> bytes:
    """Return a GIF of three million frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + 3_000_000 * frame + b";"


@pytest.mark.parametrize(("made", "why"), [(many_scans, "within the limits"), (many_frames, "animated")])
def test_an_image_that_takes_long_costs_the_time_of_one_image(tmp_path, monkeypatch, made, why):
    """The others of its request add none, or a small file could occupy a core for half an hour."""
    monkeypatch.setattr(images, "IMAGE_SECONDS", 1)
    source = tmp_path / "image"
    source.write_bytes(made())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(UnsupportedMediaType) as told:
        images.re_encode([("a", source, tmp_path / str(number)) for number in range(20)], Settings())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert why in told.value.message
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10


def animated() -> bytes:
    file = io.BytesIO()
    frames = [library.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [(picture()[:-40], "damaged"), (b"\x89PNG\r\n\x1a\n" + bytes(200), "damaged"), (animated(), "animated")],
)
def test_what_cannot_be_written_anew_is_refused(site, data, why):
    before = len(stored(site))
    answer = send(site, ("good.png", picture()), ("bad.png", data))
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "image_refused")
    assert answer.json()["error"]["message"].startswith("bad.png is refused: ")
    assert why in answer.json()["error"]["message"]
    assert len(stored(site)) == before
