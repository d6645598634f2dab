"""A folder in which another program stores files: each is taken once, and none holds up the others."""

import os
import shutil

import pytest

from chassis.errors import StorageFull
from chassis.files import Inbox, keep, listing
from chassis.jobs import JobContext, JobStopped
from chassis.tests.upkeep.conftest import upkeep

__all__ = ["upkeep"]


class Watched:
    """An inbox that stores texts, and remembers their origins as a feature's table would."""

    def __init__(self, folder):
        self.folder, self.origins, self.errors = folder, set(), {}
        self.context = JobContext("1", "inbox", 1, lambda *progress: None)
        self.inbox = Inbox(folder, self._take, self.origins.__contains__)

    def look(self) -> int:
        return self.inbox.look(self.context)

    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def _take(self, file, origin) -> None:
        if file.filename in self.errors:
            raise self.errors[file.filename]
        keep([file], ("text/plain",), label="inbox")
        self.origins.add(origin)


@pytest.fixture
def watched(upkeep, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with upkeep.app.app_context():
        yield Watched(folder)


def settled(folder, name, content=b"text"):
    """Store a file as another program did some time ago."""
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000 + len(list(folder.iterdir()))))
    return path


def names() -> list[str]:
    return sorted(item["name"] for item in listing(label="inbox")["items"])


def test_a_file_that_was_stored_before_the_process_died_is_not_taken_twice(watched):
    path = settled(watched.folder, "a.txt")
    shutil.copy2(path, watched.folder.parent / "again.txt")
    assert (watched.look(), watched.left()) == (1, [])
    shutil.move(watched.folder.parent / "again.txt", path)  # as if it had died before it deleted the file
    assert (watched.look(), watched.left()) == (0, [])
    settled(watched.folder, "a.txt", b"another text")
    assert (watched.look(), names()) == (1, ["a.txt", "a.txt"])


def test_a_file_that_is_still_written_and_hidden_ones_stay(watched):
    (watched.folder / "now.txt").write_bytes(b"te")
    settled(watched.folder, ".hidden.txt")
    assert (watched.look(), watched.left()) == (0, [".hidden.txt", "now.txt"])


def test_a_file_that_is_refused_moves_aside(watched):
    settled(watched.folder, "a.txt", b"\x7fELF\x00\x01")
    settled(watched.folder, "b.txt")
    assert (watched.look(), watched.left(), names()) == (1, ["refused/a.txt"], ["b.txt"])


def test_a_file_that_cannot_be_read_does_not_hold_up_the_others(watched):
    watched.errors["a.txt"] = PermissionError("a.txt")
    settled(watched.folder, "a.txt")
    settled(watched.folder, "b.txt")
    assert (watched.look(), watched.left(), names()) == (1, ["a.txt"], ["b.txt"])


def test_a_name_that_is_not_in_utf_8_is_taken(watched):
    settled(watched.folder, os.fsdecode(b"caf\xe9.txt"))
    assert (watched.look(), watched.left(), names()) == (1, [], ["caf\ufffd.txt"])


def test_a_full_disk_and_a_folder_that_is_away_are_told(watched):
    watched.errors["a.txt"] = StorageFull("full")
    settled(watched.folder, "a.txt")
    with pytest.raises(StorageFull):
        watched.look()
    assert watched.left() == ["a.txt"]
    shutil.rmtree(watched.folder)
    with pytest.raises(OSError, match="in"):
        watched.look()


def test_watching_goes_on_after_an_error_and_ends_with_its_job(watched):
    watched.errors["a.txt"] = StorageFull("full")
    settled(watched.folder, "a.txt")
    watched.context.wait = lambda seconds: watched.context.stop("stop") or watched.context.check()
    with pytest.raises(JobStopped):
        watched.inbox.watch(watched.context)
    assert watched.left() == ["a.txt"]
