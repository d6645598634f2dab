"""A full disk, many uploads at once, and storage elsewhere."""

import concurrent.futures
import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.files.conftest import SMALL, ask, send, stored
from chassis.tests.patience import wait_until

AT_ONCE, EACH_BYTES = 500, 200_000


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


@pytest.mark.long
@same_in_every_mode
def test_many_uploads_at_once_cost_no_memory_and_none_fails(serve):
    server = serve(**SMALL, RATE_LIMIT_DEFAULT="1000000 per hour", QUOTA_UPLOADS_PER_DAY="0", QUOTA_STORED_BYTES="0")
    (worker,) = server.workers()
    send(server, ("first.txt", b"x" * EACH_BYTES))
    before = memory_bytes(worker)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda n: send(server, (f"{n}.txt", b"x" * EACH_BYTES)).status_code, range(AT_ONCE)))
    assert set(answers) <= {201, 429, 503}
    assert answers.count(201) > AT_ONCE * 0.9
    assert memory_bytes(worker) - before < AT_ONCE * EACH_BYTES * 0.6
    listed = ask(server, "?per_page=1").json()["total"]
    assert listed == answers.count(201) + 1
    assert len(stored(server)) == listed
