"""Old files go by retention, files without a row are swept, and all of them are backed up and put back."""

import time
from dataclasses import replace

import pytest
from werkzeug.datastructures import FileStorage

from chassis.db import db
from chassis.db.backup.model import SIDECAR, BackupError, files_of
from chassis.files import backup, store
from chassis.files.incoming import Batch
from chassis.files.model import TIME_DIGITS
from chassis.files.places import folder_of, place_of
from chassis.files.service import erase, forget, keep, keeping, listing, opened
from chassis.security import identity
from chassis.tests.upkeep.conftest import upkeep

__all__ = ["upkeep"]
DAY = 86_400
NAME = "app-20261130T020000Z.db.zst"


@pytest.fixture
def kept(upkeep, monkeypatch):
    """Return a function that stores a text, as if it had been uploaded some days ago."""
    someone = identity.Identity("key", "k", "someone", frozenset())
    monkeypatch.setattr(identity, "current", lambda: someone)

    def keep_one(text: bytes = b"text", days: float = 0.0):
        settings = upkeep.settings
        file = Batch(settings, folder_of(settings)).add()
        file.write(text)
        file.seek(0)
        with upkeep.app.app_context():
            (made,) = keep([FileStorage(file, "a.txt")], ("text/plain",))
        return aged(made, days, settings) if days else made

    return keep_one


def aged(made, days, settings):
    """Give a file an earlier time, in its id too."""
    at = time.time() - days * DAY
    old = replace(made, id=f"{int(at):0{TIME_DIGITS}x}{made.id[TIME_DIGITS:]}", created_at=at)
    folder = folder_of(settings)
    (folder / made.id[-2:] / made.id).rename(folder / old.id[-2:] / old.id)
    db.write(lambda conn: (store.remove(conn, [made.id]), store.insert(conn, [old])))
    return old


def there(settings) -> set[str]:
    return set(place_of(settings).ids())


def test_old_files_go_by_retention_and_their_content_by_the_cleanup(upkeep, kept):
    old, young = kept(days=91), kept()
    assert "files: 1" in upkeep.run("retention")
    assert db.read(lambda conn: store.known(conn, {old.id, young.id})) == {young.id}
    assert upkeep.run("cleanup") == "deleted 1 files"
    assert there(upkeep.settings) == {young.id}


def test_the_cleanup_leaves_young_files_and_foreign_ones(upkeep, kept):
    young, foreign = kept(), folder_of(upkeep.settings) / "ab" / "readme.txt"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("x")
    db.write(lambda conn: store.remove(conn, [young.id]))  # as if its row were about to come
    assert upkeep.run("cleanup") == "deleted 0 files"
    assert there(upkeep.settings) == {young.id}
    assert foreign.exists()


def test_a_backup_holds_all_files_and_a_restore_brings_them_back(upkeep, kept, tmp_path):
    settings, told = upkeep.settings.model_copy(update={"backup_to": str(tmp_path / "to")}), []
    files = [kept(f"text {number}\n".encode() * 999) for number in range(5)]
    assert "5 files" in backup.make(settings, NAME, told.append)
    archive = tmp_path / "to" / files_of(NAME)
    assert archive.stat().st_mode & 0o077 == 0
    place_of(settings).remove(files[0].id)
    later = kept(b"later")
    assert "restored 5 files; the earlier ones are now in " in backup.restore(NAME, settings, told.append)
    assert there(settings) == {file.id for file in files}
    with upkeep.app.app_context(), opened(files[0]) as content:
        assert content.read() == b"text 0\n" * 999
    aside = next(folder_of(settings).parent.glob("files-before-*"))
    assert later.id in {path.name for path in aside.glob("??/*")}


def test_a_damaged_or_missing_archive_changes_nothing(upkeep, kept, tmp_path):
    settings = upkeep.settings.model_copy(update={"backup_to": str(tmp_path / "to")})
    file = kept()
    with pytest.raises(BackupError, match="was the backup made with --files"):
        backup.checked(NAME, settings)
    backup.make(settings, NAME, print)
    archive = tmp_path / "to" / files_of(NAME)
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(BackupError, match=r"is damaged: .*unchanged"):
        backup.restore(NAME, settings, print)
    assert there(settings) == {file.id}
    assert not list(folder_of(settings).parent.glob(f".{files_of(NAME)}*"))
    assert (tmp_path / "to" / f"{files_of(NAME)}{SIDECAR}").exists()


@pytest.fixture
def arrived(upkeep):
    """A file of a form, in the application's context."""
    file = Batch(upkeep.settings, folder_of(upkeep.settings)).add()
    file.write(b"text")
    file.seek(0)
    with upkeep.app.app_context():
        yield FileStorage(file, "a.txt")


def contents(upkeep) -> list[str]:
    return list(place_of(upkeep.settings).ids())


def test_a_feature_stores_its_rows_with_those_of_the_files_or_neither(upkeep, arrived):
    def write(conn, held):
        held.insert(conn)
        raise RuntimeError("the feature's rows do not fit")

    with pytest.raises(RuntimeError), keeping([arrived], ("text/plain",), label="mine") as held:
        assert contents(upkeep) == [held.files[0].id]
        db.write(lambda conn: write(conn, held))
    assert (contents(upkeep), listing(label="mine")["total"]) == ([], 0)


def test_rows_go_in_the_transaction_of_a_feature_and_the_content_after_it(upkeep, arrived):
    (made,) = keep([arrived], ("text/plain",), label="mine")
    db.write(lambda conn: forget(conn, [made.id]))
    assert (contents(upkeep), listing(label="mine")["total"]) == ([made.id], 0)
    erase([made.id, made.id])
    assert contents(upkeep) == []
