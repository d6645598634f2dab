"""A full disk, many uploads at once, and storage elsewhere."""

import concurrent.futures
import contextlib
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.files.conftest import SMALL, ask, send, stored
from chassis.tests.patience import wait_until

AT_ONCE, EACH_BYTES, MORE_BYTES = 500, 300_000, 650_000  # each of the first fills what is read at a time


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@same_in_every_mode
def test_a_disk_that_fills_up_during_an_upload_is_told_and_nothing_stays(serve, small_disk):
    server = serve(**SMALL, FILES_TO=str(small_disk))
    (made,) = send(server, ("a.txt", b"a" * 200_000)).json()["items"]
    full = send(server, ("b.txt", b"b" * 200_000), ("c.txt", b"c" * 200_000))
    assert (full.status_code, full.json()["error"]["code"]) == (507, "storage_full")
    assert "disk of the service is full" in full.json()["error"]["message"]
    wait_until(lambda: [path.name for path in stored(server)] == [made["id"]])
    assert send(server, ("d.txt", b"d" * 100_000)).status_code == 201


def memory_bytes(pid: int) -> int:
    """Return the memory of a process that is not shared."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty"):
                return int(line.split()[1]) * 1024
    return 0


def wave(server, each_bytes: int) -> list[int]:
    """Upload a file from each of many clients at once, again where the database is too busy; return the statuses."""
    content = b"x" * each_bytes

    def upload(number: int) -> int:
        while (answer := send(server, (f"{number}.txt", content))).status_code == 503:
            assert answer.json()["error"]["code"] == "database_unavailable", answer.text
        return answer.status_code

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(upload, range(AT_ONCE)))


@pytest.mark.long
@same_in_every_mode
def test_many_uploads_at_once_all_succeed_and_memory_does_not_grow_with_their_size(serve):
    larger = {**SMALL, "MAX_FILE_SIZE": "1000000", "MAX_TOTAL_UPLOAD_SIZE": "1000000"}
    server = serve(**larger, QUOTA_UPLOADS_PER_DAY="0", QUOTA_STORED_BYTES="0")
    (worker,) = server.workers()
    assert Counter(wave(server, EACH_BYTES)) == {201: AT_ONCE}
    before = memory_bytes(worker)
    assert Counter(wave(server, EACH_BYTES + MORE_BYTES)) == {201: AT_ONCE}
    assert memory_bytes(worker) - before < AT_ONCE * MORE_BYTES * 0.25
    assert len(stored(server)) == ask(server, "?per_page=1").json()["total"] == 2 * AT_ONCE
