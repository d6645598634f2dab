"""Documents of three types are read in another process, cut into passages; hostile ones take nobody with them."""

import errno
import io

import pytest

from app import create_app
from chassis import files
from chassis.db import db
from chassis.errors import StorageFull
from chassis.files import text_child, texts
from chassis.files.text_child import PASSAGE_CHARACTERS, cut
from chassis.jobs import JobContext, JobStopped
from chassis.settings import Settings
from chassis.tests.files.pdfs import bomb, endless, pdf
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import new_database
from chassis.tests.small_disks import small_disk_at

LIMITS = {"document_megabytes": 300, "max_document_characters": 100_000}


@pytest.fixture
def context():
    return JobContext("1", "read", 1, lambda *progress: None)


@pytest.fixture
def passages(tmp_path, context, request):
    """Return a function that stores a document and returns its passages."""
    types, limits = files.TEXT_TYPES, LIMITS | {"document_seconds": getattr(request, "param", int(LIMIT_SECONDS))}
    settings = Settings(app_env="test", database_url=new_database(tmp_path), upload_types=types, **limits)
    app = create_app(settings)

    def read(name, content):
        with app.app_context(), files.arriving([(name, [content])]) as given:
            (file,) = files.keep(given, types)
            return list(files.passages(file, context))

    yield read
    with app.app_context():
        for process in texts._readers()._idle:
            process.end()
    db.close()


def test_texts_and_markdown_have_no_pages(passages):
    assert passages("a.txt", b"One  kettle.") == [{"page": None, "text": "One kettle."}]
    assert passages("b.md", b"# Kettle\n\n\n\nDescale it.") == [{"page": None, "text": "# Kettle\n\nDescale it."}]
    assert passages("c.txt", "\ufeffKäse".encode()) == [{"page": None, "text": "Käse"}]
    assert passages("d.txt", "Käse".encode("utf-16")) == [{"page": None, "text": "Käse"}]


def test_the_pages_of_a_pdf_are_numbered(passages):
    pytest.importorskip("pypdf")
    found = passages("a.pdf", pdf("Tapirs sleep.", "Zebras do not."))
    assert found == [{"page": 1, "text": "Tapirs sleep."}, {"page": 2, "text": "Zebras do not."}]


REFUSED = {
    "broken.pdf": (b"%PDF-1.4\n\x00\x01 not really", "it is damaged, or not really of its type"),
    "scan.pdf": (pdf(""), "it contains no text; pictures of text cannot be read"),
    "empty.txt": (b" \n", "it contains no text; pictures of text cannot be read"),
    "long.txt": (b"word " * 50_000, "it has more than 100,000 characters of text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_told_in_a_sentence(passages, name):
    if name.endswith(".pdf"):
        pytest.importorskip("pypdf")
    content, why = REFUSED[name]
    with pytest.raises(files.Unreadable) as refused:
        passages(name, content)
    assert refused.value.message == f"The document cannot be used: {why}."


@pytest.mark.parametrize("passages", [20], indirect=True)  # the endless one takes as long
@pytest.mark.parametrize("made", [bomb, endless])
def test_a_hostile_document_ends_its_process_alone(passages, made):
    pytest.importorskip("pypdf")
    with pytest.raises(files.Unreadable, match="The document cannot be used: "):
        passages("hostile.pdf", made())
    assert passages("good.txt", b"Good.") == [{"page": None, "text": "Good."}]


def test_without_the_library_a_pdf_is_refused(passages, monkeypatch):
    monkeypatch.setattr(texts, "installed", lambda package: package != "pypdf")
    with pytest.raises(files.Unreadable, match="its extra documents is not installed"):
        passages("a.pdf", pdf("Tapirs sleep."))


def test_a_full_disk_is_no_fault_of_the_document(tmp_path):
    source = tmp_path / "long.txt"
    source.write_bytes(b"word " * 200_000)
    with small_disk_at(tmp_path / "small", "64k") as small:
        assert text_child.read(str(source), "text/plain", str(small / "found"), most=10**7) == text_child.FULL
    assert errno.ENOSPC in text_child.FULL_DISK


def test_a_full_disk_lets_the_job_try_again(passages, monkeypatch):
    monkeypatch.setattr(texts, "_why_not", lambda *_: text_child.FULL)
    with pytest.raises(StorageFull):
        passages("a.txt", b"One.")


def test_a_cancelled_job_stops_reading(passages, context):
    context.stop("cancel")
    with pytest.raises(JobStopped):
        passages("a.txt", b"One.")


def test_long_texts_are_cut_at_sentences_and_overlap():
    text = " ".join(f"This is sentence number {n} of a long text." for n in range(200))
    pieces = list(cut(text))
    assert all(len(piece) <= PASSAGE_CHARACTERS for piece in pieces)
    assert all(piece.endswith(".") for piece in pieces)
    assert all(any(f"number {n} of" in piece for piece in pieces) for n in range(200))
    assert next(cut("x" * 3_000)) == "x" * PASSAGE_CHARACTERS
    assert len(list(cut("x" * 1_000_000))) < 1_000


def test_a_text_is_not_read_beyond_what_is_taken():
    class Endless:
        def read(self, size=-1):
            assert 0 < size < 1_000
            return b"x" * size

    with pytest.raises(text_child.Refused, match="more than 100 characters"):
        next(text_child.pages(Endless(), "text/plain", 100))
    assert list(text_child.pages(io.BytesIO("🦓".encode() * 100), "text/plain", 100)) == [(None, "🦓" * 100)]


def test_what_a_database_cannot_store_is_replaced():
    pages = text_child.pages(io.BytesIO(b"a\x00b"), "text/plain", 100)
    assert list(text_child.passages(pages, 100)) == [(None, "a\ufffdb")]
