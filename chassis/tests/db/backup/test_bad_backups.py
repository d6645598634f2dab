"""A damaged or foreign backup is refused, and the database stands."""

import hashlib
import shutil
import sqlite3
from contextlib import closing

import pytest

from chassis.base.compression import zstd
from chassis.db import backup, db
from chassis.db.backup.checks import row_counts
from chassis.errors import AppError
from chassis.tests.db.backup.files import names, put, quiet, unpacked


def repack(folder, name, body):
    """Put another database into a backup, with the right checksum."""
    packed = zstd.compress(body)
    (folder / name).write_bytes(packed)
    (folder / f"{name}.sha256").write_text(f"{hashlib.sha256(packed).hexdigest()}  {name}\n")


def one_byte(folder, name, tmp_path):
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(body)


def cut(folder, name, tmp_path):
    body = (folder / name).read_bytes()
    (folder / name).write_bytes(body[: len(body) // 2])
    (folder / f"{name}.sha256").unlink()


def page(folder, name, tmp_path):
    body = zstd.decompress((folder / name).read_bytes())
    repack(folder, name, body[:8192] + b"\xff" * 8192 + body[16384:])


def orphan(folder, name, tmp_path):
    changed = unpacked(folder, name, tmp_path / "changed.db")
    with closing(sqlite3.connect(changed)) as connection:
        connection.execute("CREATE TABLE mine (job TEXT REFERENCES jobs (id))")
        connection.execute("INSERT INTO mine VALUES ('none')")
        connection.commit()
    repack(folder, name, changed.read_bytes())


def newer(folder, name, tmp_path):
    changed = unpacked(folder, name, tmp_path / "changed.db")
    with closing(sqlite3.connect(changed)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    repack(folder, name, changed.read_bytes())


def foreign(folder, name, tmp_path):
    changed = tmp_path / "changed.db"
    with closing(sqlite3.connect(changed)) as connection:
        connection.execute("CREATE TABLE words (word TEXT)")
    repack(folder, name, changed.read_bytes())


BAD = {
    "a byte is wrong": (one_byte, "has the SHA-256 .*, expected .*|zstd file at .* is damaged"),
    "its end is missing": (cut, "zstd file at .* is damaged"),
    "a page is wrong": (page, r"is damaged \("),
    "a row refers to nothing": (orphan, "refers to a missing row of jobs"),
    "it is newer than the code": (newer, "newer than this code"),
    "it is of something else": (foreign, "does not belong to this service"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_backup_is_refused_and_the_database_stands(make, settings, path, folder, tmp_path, case):
    spoil, sentence = BAD[case]
    made = make()
    spoil(folder, made.name, tmp_path)
    with pytest.raises(AppError, match=sentence):
        backup.verify(made.name, settings, quiet)
    assert "drill" in db.read(backup.failed)
    before = row_counts(path)
    with pytest.raises(AppError, match=sentence):
        backup.restore(made.name, settings, quiet, lambda question: True)
    assert row_counts(path) == before
    assert not list(path.parent.glob("app-*.db"))
    assert not [name for name in names(folder) + names(path.parent) if "verify" in name or "download" in name]


def test_a_dump_of_postgresql_is_none_of_sqlite(settings, folder):
    put(folder, 1)
    (folder / "app-20260101T000000Z.dump").write_text("PGDMP")
    with pytest.raises(backup.BackupError, match=r"app-20260101T000000Z\.dump is a dump of PostgreSQL"):
        backup.verify("app-20260101T000000Z.dump", settings, quiet)


@pytest.mark.parametrize("wanted", ["latest", "app-20200101T000000Z.db.zst", "/nowhere/at/all.db"])
def test_what_is_not_there_is_said(settings, wanted):
    with pytest.raises(backup.BackupError, match=r"no file or backup .* there are none"):
        backup.verify(wanted, settings, quiet)
    assert db.read(backup.failed) == {}


def test_a_copy_on_this_machine_may_lack_its_checksum_and_that_is_said(make, settings, folder, tmp_path):
    made = make()
    shutil.copy(folder / made.name, tmp_path / "copy.zst")
    said = []
    assert backup.verify(str(tmp_path / "copy.zst"), settings, said.append).sha256 == made.sha256
    assert "there is no copy.zst.sha256: without a checksum only the content is checked" in said
