"""Bad images and bad days: each costs one image or one request, and nothing is lost or doubled."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.features.inspections.tests.conftest import ask, ended, images_of, inspected, picture, send
from chassis.tests.conftest import ROOT, same_in_every_mode
from chassis.tests.files.test_images import bomb
from chassis.tests.memory import private_bytes
from chassis.tests.patience import wait_until
from chassis.tests.security.conftest import GUARDED
from chassis.tests.small_disks import small_disk_at

MANY = 60


def stored(server) -> list[Path]:
    folder = Path(server.env.get("FILES_TO") or server.folder / "files")
    return [path for path in folder.rglob("*") if path.is_file()]


def processes(server) -> list[int]:
    """Return the pool's processes of a server's workers."""
    command = ["pgrep", "-f", "process_child.py", "-P", ",".join(map(str, server.workers()))]
    return [int(line) for line in subprocess.run(command, capture_output=True, text=True).stdout.split()]


@pytest.mark.parametrize(
    "images, status, said",
    [
        ([picture(20), picture(21)[:2_000]], 415, "part-1.jpg is refused: it is damaged"),
        ([picture(20), bomb(60_000, 60_000)], 413, "part-1.jpg has 60,000 x 60,000 pixels"),
        ([picture(20), b"GIF89a, says the name"], 415, "accepted types: image/jpeg or image/png or image/webp"),
        ([picture(20), b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"], 415, "The content of part-1.jpg is application/pdf"),
    ],
    ids=["truncated", "bomb", "text", "pdf"],
)
def test_an_image_that_cannot_be_decoded_refuses_the_upload_in_words(site, images, status, said):
    before, count = stored(site), ask(site).json()["total"]
    answer = send(site, *images)
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text
    assert (stored(site), ask(site).json()["total"]) == (before, count)


def test_limits_of_files_count_and_sum_are_told(shared_with):
    limits = {"MAX_FILE_SIZE": "20000", "MAX_FILES_PER_BATCH": "3", "MAX_TOTAL_UPLOAD_SIZE": "50000"}
    server = shared_with(**GUARDED, **limits)
    large = picture(22, size=(1600, 1200), kind="PNG") + b"\0" * 20_000
    for images, said in (
        ([large], "A file may have at most 20,000 bytes."),
        ([picture(number) for number in range(4)], "A request may have at most 3 files."),
        ([picture(number, size=(64, 48)) + b"\0" * 17_000 for number in range(3)], "at most 50,000 bytes together"),
    ):
        answer = send(server, *images)
        assert (answer.status_code, said in answer.json()["error"]["message"]) == (413, True), answer.text
    assert stored(server) == []


def test_an_image_that_was_damaged_on_the_disk_fails_alone(serve, tmp_path):
    server = serve(**GUARDED, JOBS_EMBEDDED="false", FILES_TO=str(tmp_path / "files"))
    made = send(server, picture(23), picture(24), picture(25)).json()
    damaged, gone = sorted(stored(server), key=lambda path: path.stat().st_size)[-2:]
    damaged.write_bytes(damaged.read_bytes()[:900])
    gone.unlink()
    worker = subprocess.Popen([sys.executable, "-m", "flask", "jobs", "work"], cwd=ROOT, env=server.env)
    try:
        assert ended(server, made["id"])["status"] == "succeeded"
    finally:
        worker.terminate()
        worker.wait()
    images = images_of(server, made["id"])
    assert Counter(image["status"] for image in images) == {"failed": 2, "done": 1}
    assert {image["detail"] for image in images if image["status"] == "failed"} == {
        "Not classified. It failed with OSError.",
        "Not classified. There is no such file.",
    }
    wrong = next(image["id"] for image in images if image["status"] == "failed")
    ask(server, f"/images/{wrong}/correction", "PUT", json={"verdict": "defect"})
    counts = ask(server, f"/images?inspection={made['id']}&verdict=defect").json()["counts"]
    assert counts == {"ok": 1, "failed": 1, "defect": 1, "corrected": 1}


def test_a_classifier_that_hangs_costs_its_image_and_no_other(serve):
    server = serve(**GUARDED, INSPECTION_TIME_LIMIT_SECONDS="2")
    inspected(server, picture(26), picture(27))
    idle = processes(server)
    for pid in idle:
        os.kill(pid, signal.SIGSTOP)
    images = inspected(server, *(picture(number) for number in range(100, 106)))
    failed = [image["detail"] for image in images if image["status"] == "failed"]
    assert failed == ["Not classified. It took longer than 2 s."] * len(idle)
    assert Counter(image["status"] for image in images) == {"failed": len(idle), "done": 6 - len(idle)}
    wait_until(lambda: not set(idle) & set(processes(server)), "processes that hang are not ended")


def test_a_killed_service_goes_on_with_the_batch_and_nothing_is_doubled_or_lost(serve):
    server = serve(**GUARDED, JOB_LEASE_SECONDS="3", INSPECTION_CHUNK_IMAGES="7", INSPECTION_CACHE_SECONDS="0")
    made = send(server, *(picture(number) for number in range(200, 200 + MANY))).json()
    some = wait_until(lambda: (now := ask(server, f"/{made['id']}").json())["done"] >= 5 and now)
    assert some["done"] < MANY
    for pid in [*server.workers(), server.pid]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    server.start()
    server.wait_ready()
    before = {image["id"]: image for image in images_of(server, made["id"]) if image["status"] == "done"}
    done = ended(server, made["id"])
    assert (done["status"], done["done"], done["total"]) == ("succeeded", MANY, MANY)
    images = images_of(server, made["id"])
    assert [image["position"] for image in images] == list(range(MANY))
    assert {image["status"] for image in images} == {"done"}
    assert before.items() <= {image["id"]: image for image in images}.items()  # none was classified again


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB."""
    with small_disk_at(tmp_path / "small", "512k") as folder:
        yield folder


@same_in_every_mode
def test_a_disk_that_fills_up_during_an_upload_is_told_and_nothing_stays(serve, small_disk):
    server = serve(**GUARDED, FILES_TO=str(small_disk))
    noise = [picture(number, kind="PNG") + os.urandom(200_000) for number in range(3)]
    answer = send(server, *noise)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full"), answer.text
    assert ask(server).json()["total"] == 0
    wait_until(lambda: stored(server) == [])
    assert [image["verdict"] for image in inspected(server, picture(28))] == ["ok"]
    assert [path.parent.parent for path in stored(server)] == [small_disk]


@pytest.mark.long
@same_in_every_mode
def test_memory_stays_flat_and_a_killed_process_of_the_pool_costs_one_image(serve):
    off = {"RATE_LIMIT_DEFAULT": "100000 per hour", "QUOTA_UPLOADS_PER_DAY": "0", "QUOTA_STORED_BYTES": "0"}
    server = serve(**GUARDED, **off, INSPECTION_CACHE_SECONDS="0")

    def round_of(first: int, kills: int) -> list[dict]:
        made = send(server, *(picture(first + number, size=(2400, 1800)) for number in range(40))).json()
        for step in range(kills):
            enough = 8 * (step + 1)
            wait_until(lambda: ask(server, f"/{made['id']}").json()["done"] >= enough)  # noqa: B023
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(processes(server)[0], signal.SIGKILL)
        assert ended(server, made["id"])["status"] == "succeeded"
        return images_of(server, made["id"])

    assert {image["status"] for image in round_of(1_000, 0)} == {"done"}
    before = private_bytes(*server.workers())
    for turn in range(4):
        assert {image["status"] for image in round_of(2_000 + 100 * turn, 0)} == {"done"}
    assert private_bytes(*server.workers()) - before < 15_000_000
    images = round_of(3_000, 3)
    failed = [image["detail"] for image in images if image["status"] == "failed"]
    assert len(failed) <= 3
    assert set(failed) <= {"Not classified. The process died."}
    assert sum(image["status"] == "done" for image in images) == 40 - len(failed)


@pytest.mark.long
@same_in_every_mode
def test_hundreds_of_uploads_at_once_each_get_their_verdict(serve, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    limits = ("QUOTA_UPLOADS_PER_DAY", "QUOTA_STORED_BYTES", "QUOTA_JOBS")
    off = {"RATE_LIMIT_DEFAULT": "100000 per hour", **dict.fromkeys(limits, "0")}
    server = serve(**GUARDED, **off, FILES_TO=str(tmp_path / "files"))

    def upload(number: int) -> str:
        while (answer := send(server, picture(5_000 + number))).status_code == 503:
            pass  # the database was busy
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(500) as pool:
        made = set(pool.map(upload, range(500)))
    assert len(made) == 500
    wait_until(lambda: ask(server, "/images?verdict=ok").json()["total"] == 500)
    counts = ask(server, "/images").json()["counts"]
    assert counts == {"ok": 500, "corrected": 0}
    assert len(stored(server)) == 500
