"""Files that come from the service itself, and content that another process reads."""

import errno
import io
from unittest.mock import Mock

import pytest

from chassis.db import s3
from chassis.errors import NotFound, PayloadTooLarge, StorageFull
from chassis.files import arriving, delete, keep, local, places, service
from chassis.files.places import Bucket, folder_of
from chassis.tests.upkeep.conftest import upkeep

__all__ = ["upkeep"]
PIECES = [b"a,b\n", b"1,2\n"]


def hidden(settings) -> list[str]:
    return [path.name for path in folder_of(settings).rglob(".*.part")]


def test_content_that_came_by_no_form_is_stored_and_read_by_its_path(upkeep):
    with upkeep.app.app_context():
        with arriving([("a.csv", PIECES), ("b.csv", PIECES)]) as files:
            first, second = keep(files, ("text/csv",), label="own")
        assert (first.name, second.name, first.owner) == ("a.csv", "b.csv", "")
        with local(first) as path:
            assert path.read_bytes() == b"".join(PIECES)
        delete(first.id)
        with pytest.raises(NotFound), local(first):
            pass
    assert hidden(upkeep.settings) == []


def test_content_above_a_limit_is_refused_and_what_is_not_kept_does_not_stay(upkeep):
    most = upkeep.settings.max_file_size
    large = (b"x" * 1_000_000 for _ in range(most // 1_000_000 + 1))
    with upkeep.app.app_context():
        with pytest.raises(PayloadTooLarge), arriving([("a.csv", PIECES), ("large.txt", large)]):
            pass
        with arriving([("a.csv", PIECES)]):
            assert len(hidden(upkeep.settings)) == 1
    assert hidden(upkeep.settings) == []


def test_what_a_bucket_holds_is_copied_for_others_to_read(tmp_path, monkeypatch):
    monkeypatch.setattr(places.s3, "stream", lambda url, first=0: io.BytesIO(url.encode()[first:]))
    with Bucket("s3://some/files").local("1", 17, tmp_path / "new") as path:
        assert path.read_bytes() == b"s3://some/files/1"
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_bucket_no_longer_holds_or_the_disk_cannot_is_told(upkeep, monkeypatch):
    gone, settings = Mock(side_effect=s3.Missing("no such key")), upkeep.settings
    with upkeep.app.app_context():
        with arriving([("a.csv", PIECES)]) as files:
            (file,) = keep(files, ("text/csv",), label="own")
        monkeypatch.setattr(service, "place_of", lambda _: Bucket("s3://some/files"))
        monkeypatch.setattr(s3, "stream", gone)
        with pytest.raises(NotFound), local(file):
            pass
        monkeypatch.setattr(s3, "stream", Mock(side_effect=OSError(errno.ENOSPC, "full")))
        with pytest.raises(StorageFull), local(file):
            pass
    assert hidden(settings) == []
