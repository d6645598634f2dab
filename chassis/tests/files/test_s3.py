"""Files in a bucket: stored, served in ranges, deleted, and refused in words while the bucket does not answer."""

import pytest

from chassis.tests.conftest import free_port, same_in_every_mode
from chassis.tests.db.test_backup_s3 import KEYS, storage
from chassis.tests.files.conftest import SMALL, ask, send, stored

__all__ = ["storage"]
CONTENT = b"".join(b"%06d\n" % number for number in range(20_000))
pytestmark = [same_in_every_mode, pytest.mark.server]


def test_a_bucket_holds_the_files(serve, storage):
    server = serve(**SMALL, **KEYS, AWS_ENDPOINT_URL=storage, FILES_TO="s3://backups/files")
    made = send(server, ("numbers.txt", CONTENT))
    assert made.status_code == 201, made.text
    path = f"{made.json()['items'][0]['id']}/content"
    assert ask(server, path).content == CONTENT
    assert ask(server, path, Range="bytes=70000-70006").content == CONTENT[70_000:70_007]
    assert stored(server) == []  # nothing stays on this machine
    assert ask(server, path.removesuffix("/content"), "DELETE").status_code == 200
    assert ask(server, path).status_code == 404


def test_a_bucket_that_does_not_answer_is_told(serve):
    server = serve(**SMALL, **KEYS, AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}", FILES_TO="s3://backups/files")
    refused = send(server, ("numbers.txt", CONTENT))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_failed")
    assert ask(server, "").json()["total"] == 0
    assert stored(server) == []
