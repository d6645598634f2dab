"""Bad days: the model dies, a process is killed, the disk is full, documents are broken or hostile."""

import os
import signal

import pytest

from app.features.chat.tests.talks import KETTLE, answered, ask, conversation, question, read, thread, upload
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.files.pdfs import bomb, endless, pdf
from chassis.tests.patience import wait_until
from chassis.tests.small_disks import small_disk_at


@pytest.mark.parametrize("form", ["break-off", "error-in-the-middle", "error-event", "not-json", "length"])
def test_an_answer_whose_end_never_came_is_told_as_cut(own, watch, form):
    server, _ = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, f"[{form}]")
    wait_until(viewer.end)
    assert viewer.end()["outcome"] == "failed"
    answer = thread(server, asked)[-1]
    assert (answer["status"], answer["text"]) == ("cut", "half ")
    assert answer["error"] == viewer.end()["error"]["message"]
    assert ask(server, "POST", f"/conversations/{asked}/retry").status_code == 202
    assert answered(server, asked)["status"] == "cut"


def test_a_model_that_refuses_is_told(own, watch):
    server, _ = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[401]")
    answer = answered(server, asked)
    assert (answer["status"], answer["text"]) == ("failed", "")
    assert "check OPENROUTER_API_KEY" in answer["error"]
    wait_until(viewer.end)


def test_a_question_that_cannot_be_embedded_fails_alone(own):
    server, _ = own(CHAT_EMBEDDING_MODEL="acme/embed")
    asked = conversation(server)
    question(server, asked, "[400] for the embedding")
    assert answered(server, asked)["status"] == "failed"
    question(server, asked, "good")
    assert answered(server, asked)["status"] == "done"


def test_a_killed_process_leaves_an_interrupted_answer_that_can_be_tried_again(own, watch):
    server, _ = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[forever]")
    wait_until(lambda: "more more" in viewer.text())
    wait_until(lambda: thread(server, asked)[-1]["text"])  # it is stored from time to time
    for pid in [*server.workers(), server.pid]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    server.start()
    server.wait_ready()
    answer = answered(server, asked)
    assert (answer["status"], answer["error"]) == (
        "interrupted",
        "The answer was interrupted before its end: try again.",
    )
    assert answer["text"].startswith("more ")
    first = thread(server, asked)[0]
    assert ask(server, "PUT", f"/conversations/{asked}/messages/{first['id']}", {"text": "now"}).status_code == 202
    assert answered(server, asked)["text"] == "echo: now"


def test_an_orderly_stop_is_told_as_what_it_was(own, watch):
    server, _ = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[forever]")
    wait_until(lambda: "more more" in viewer.text())
    server.process.terminate()
    server.process.wait()
    server.start()
    server.wait_ready()
    answer = answered(server, asked)
    assert (answer["status"], answer["error"]) == ("cut", "The service is restarting: try again.")
    assert answer["text"].startswith("more more")


def test_a_conversation_that_is_deleted_ends_its_answer(own, watch):
    server, upstream = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[forever]")
    wait_until(viewer.text)
    assert ask(server, "DELETE", f"/conversations/{asked}").status_code == 204
    wait_until(viewer.end)
    wait_until(lambda: upstream.stats()["in_flight"] == 0)


def test_broken_documents_fail_alone_with_a_sentence(site):
    files = {
        "broken.pdf": b"%PDF-1.4\n\x00\x01 not really",
        "scan.pdf": pdf(""),
        "empty.txt": b"",
        "good.pdf": pdf("Tapirs sleep in the afternoon."),
        "latin.txt": "Käse kostet vier Euro".encode("latin-1"),
    }
    found = {one["name"]: one for one in read(site, *files.items())}
    assert {name: one["status"] for name, one in found.items()} == {
        "broken.pdf": "failed",
        "scan.pdf": "failed",
        "empty.txt": "failed",
        "good.pdf": "ready",
        "latin.txt": "ready",
    }
    assert found["broken.pdf"]["error"] == "The document cannot be used: it is damaged, or not really of its type."
    assert "it contains no text" in found["scan.pdf"]["error"]
    asked = conversation(site)
    question(site, asked, "When do tapirs sleep?")
    source = answered(site, asked)["sources"][0]
    assert (source["name"], source["page"]) == ("good.pdf", 1)


@pytest.mark.parametrize("name", ["bomb.pdf", "endless.pdf", "long.txt"])
def test_a_hostile_document_takes_nobody_else_with_it(shared_with, name):
    server = shared_with(DOCUMENT_SECONDS="5", DOCUMENT_MEGABYTES="300", MAX_DOCUMENT_CHARACTERS="100000")
    content = {"bomb.pdf": bomb, "endless.pdf": endless, "long.txt": lambda: b"word " * 50_000}[name]()
    hostile, good = read(server, (name, content), ("kettle.md", KETTLE))
    assert (hostile["status"], good["status"]) == ("failed", "ready")
    assert hostile["error"].startswith("The document cannot be used: ")
    assert hostile["passages"] == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB."""
    with small_disk_at(tmp_path / "small", "512k") as folder:
        yield folder


@same_in_every_mode
def test_a_disk_that_fills_up_during_an_upload_leaves_no_document(serve, small_disk):
    server = serve(FILES_TO=str(small_disk))
    full = upload(server, ("a.txt", b"a" * 300_000), ("b.txt", b"b" * 300_000))
    assert (full.status_code, full.json()["error"]["code"]) == (507, "storage_full")
    assert ask(server, "GET", "/documents").json()["total"] == 0
    (document,) = read(server, ("kettle.md", KETTLE))
    assert document["status"] == "ready"


def test_documents_are_embedded_by_the_model_and_its_refusal_is_told(own):
    server, _ = own(CHAT_EMBEDDING_MODEL="acme/embed")
    good, bad = read(server, ("kettle.md", KETTLE), ("bad.txt", b"[401] no"))
    assert (good["status"], bad["status"]) == ("ready", "failed")
    assert "check OPENROUTER_API_KEY" in bad["error"]
    asked = conversation(server)
    question(server, asked, "kettle")
    assert answered(server, asked)["sources"][0]["name"] == "kettle.md"
