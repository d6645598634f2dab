"""A job fills the index with a document's passages: again after a broken attempt, and not if it is gone."""

import pytest

from chassis.jobs import GiveUp, JobContext, JobStopped
from chassis.search import BUILT_IN, embedded
from chassis.tests.search.albums import TEXTS

PASSAGES = [{"page": None, "text": f"{text} {number}"} for number in range(20) for text in TEXTS]


@pytest.fixture
def context(albums, monkeypatch):
    monkeypatch.setattr("chassis.jobs.context.db", albums.db)
    return JobContext("1", "read", 1, lambda *progress: None)


def count(albums):
    return len(albums.db.read(lambda conn: conn.execute(albums.index.table.select()).all()))


def test_a_second_attempt_replaces_what_the_first_one_left(albums, context):
    albums.add(texts=[TEXTS[0]])
    calls = []

    def breaks(texts):
        calls.append(len(texts))
        if len(calls) == 3:
            raise ConnectionError
        return embedded(texts)

    with pytest.raises(ConnectionError):
        albums.index.fill(context, "ada", PASSAGES, breaks, BUILT_IN)
    assert (count(albums), calls) == (32, [16, 16, 16])
    albums.index.fill(context, "ada", PASSAGES, embedded, BUILT_IN)
    assert count(albums) == len(PASSAGES)
    assert albums.found("invoice 7", most=1) == [f"{TEXTS[1]} 7"]


def test_a_document_that_is_deleted_meanwhile_gets_no_passages(albums, context):
    albums.add()

    def embed(texts):
        albums.db.write(lambda conn: conn.execute(albums.table.delete()))
        return embedded(texts)

    with pytest.raises(GiveUp, match="deleted"):
        albums.index.fill(context, "ada", PASSAGES, embed, BUILT_IN)
    assert count(albums) == 0


def test_a_job_that_is_cancelled_ends_between_two_calls(albums, context):
    albums.add()

    def embed(texts):
        context.stop("cancel")
        return embedded(texts)

    with pytest.raises(JobStopped):
        albums.index.fill(context, "ada", PASSAGES, embed, BUILT_IN)
    assert count(albums) == 16
