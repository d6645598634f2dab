"""A full disk, many uploads at once, and storage elsewhere."""

import concurrent.futures
from collections import Counter

import pytest

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.files.conftest import SMALL, ask, send, stored
from chassis.tests.memory import private_bytes
from chassis.tests.patience import wait_until
from chassis.tests.small_disks import small_disk_at

AT_ONCE, FEWER = 500, 100
SMALL_BYTES, LARGE_BYTES, HUGE_BYTES = 150_000, 1_000_000, 4_000_000  # up to a large one, what is read at a time grows


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB."""
    with small_disk_at(tmp_path / "small", "512k") as folder:
        yield folder


@same_in_every_mode
def test_a_disk_that_fills_up_during_an_upload_is_told_and_nothing_stays(serve, small_disk):
    server = serve(**SMALL, FILES_TO=str(small_disk))
    (made,) = send(server, ("a.txt", b"a" * 200_000)).json()["items"]
    full = send(server, ("b.txt", b"b" * 200_000), ("c.txt", b"c" * 200_000))
    assert (full.status_code, full.json()["error"]["code"]) == (507, "storage_full")
    assert "disk of the service is full" in full.json()["error"]["message"]
    wait_until(lambda: [path.name for path in stored(server)] == [made["id"]])
    assert send(server, ("d.txt", b"d" * 100_000)).status_code == 201


@same_in_every_mode
def test_a_folder_that_cannot_be_used_is_told_with_its_reason(serve, tmp_path):
    place = tmp_path / "files"
    server = serve(**SMALL, FILES_TO=str(place))
    made = send(server, ("a.txt", b"a" * 1_000)).json()["items"][0]
    place.rename(tmp_path / "away")
    place.write_text("no folder")
    for answer in (send(server, ("b.txt", b"b" * 1_000)), ask(server, f"{made['id']}/content")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage_unavailable")
        assert "Files cannot be stored or read now: " in answer.json()["error"]["message"]
        assert int(answer.headers["Retry-After"]) > 0
    assert ask(server, made["id"], "DELETE").status_code == 200
    assert "Traceback" not in server.log
    place.unlink()
    (tmp_path / "away").rename(place)
    assert send(server, ("c.txt", b"c" * 1_000)).status_code == 201


def wave(server, count: int, each_bytes: int) -> Counter[int]:
    """Return the statuses of that many uploads at once; one that finds the database busy is sent again."""
    content = b"a" * each_bytes

    def upload(number: int) -> int:
        while (answer := send(server, (f"{number}.txt", content))).status_code == 503:
            assert answer.json()["error"]["code"] == "database_unavailable", answer.text
        return answer.status_code

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(upload, range(count)))


@pytest.mark.long
@same_in_every_mode
def test_many_uploads_at_once_all_succeed_and_memory_does_not_grow_with_their_size(serve):
    limits = {**SMALL, "MAX_FILE_SIZE": str(HUGE_BYTES), "MAX_TOTAL_UPLOAD_SIZE": str(HUGE_BYTES)}
    server = serve(**limits, QUOTA_UPLOADS_PER_DAY="0", QUOTA_STORED_BYTES="0")
    (worker,) = server.workers()
    assert wave(server, AT_ONCE, SMALL_BYTES) == {201: AT_ONCE}
    assert wave(server, FEWER, LARGE_BYTES) == {201: FEWER}
    before = private_bytes(worker)
    assert wave(server, FEWER, HUGE_BYTES) == {201: FEWER}
    assert private_bytes(worker) - before < FEWER * (HUGE_BYTES - LARGE_BYTES) * 0.1
    assert len(stored(server)) == ask(server, "?per_page=1").json()["total"] == AT_ONCE + 2 * FEWER
