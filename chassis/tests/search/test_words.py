"""Passages are found by words on both databases, within documents that may be searched."""

import pytest

from chassis.search import index as module
from chassis.tests.search.albums import TEXTS, albums_in
from chassis.tests.servers import new_database


def test_words_in_other_forms_are_found(albums):
    albums.add()
    assert albums.found("When is an invoice due?")[0] == TEXTS[1]
    assert albums.found("a barking dog")[0] == TEXTS[2]
    assert albums.found("a cat", most=1) == [TEXTS[0]]


def test_words_are_found_in_the_database_of_the_run(tmp_path):
    """It is the one test here that `make test-postgres` chooses: the others run on both databases in every run."""
    with albums_in(new_database(tmp_path)) as albums:
        albums.add()
        assert albums.found("When is an invoice due?")[0] == TEXTS[1]


def test_words_that_say_nothing_find_nothing(albums):
    albums.add(texts=["Who of you is there, and why, and where would it be?"])
    assert albums.found("Who would tell me where and why this is?", farthest=0.0) == []


def test_a_word_of_any_length_can_be_asked_for(albums):
    albums.add()
    assert albums.found("invoice " + "\U00020000" * 8_000)[0] == TEXTS[1]


def test_columns_of_the_document_come_along(albums):
    albums.add()
    query = albums.query("invoice", most=1)
    search = albums.index.search
    (row,) = albums.db.read(lambda conn: search(conn, query, [albums.table.c.title]), unbounded=True)
    assert dict(row) == {"document_id": "ada", "page": 2, "text": TEXTS[1], "title": "of ada"}


def test_nothing_is_found_in_other_documents(albums):
    albums.add()
    assert albums.found("invoice", owner="eve") == []


def test_passages_of_another_embedding_are_found_by_words(albums):
    albums.add(embedder="acme/embed")
    assert albums.found("invoice", farthest=0.0) == [TEXTS[1]]


def test_deleted_passages_leave_the_index(albums):
    albums.add()
    albums.add("eve")
    albums.db.write(lambda conn: albums.index.clear(conn, "ada"))
    assert albums.found("invoice") == []
    albums.db.write(lambda conn: conn.execute(albums.table.delete()))
    assert albums.found("invoice", owner="eve") == []


def test_passages_are_deleted_a_few_at_a_time(albums):
    albums.add()
    within = albums.query("").within
    assert [albums.db.write(lambda conn: albums.index.delete(conn, within, 2)) for _ in range(3)] == [2, 1, 0]


def test_a_passage_that_is_deleted_meanwhile_is_left_out(albums, monkeypatch):
    albums.add()

    def by_vector(conn, table, query, most):
        conn.execute(table.delete().where(table.c.page == 2))
        return []

    monkeypatch.setattr(module, "by_vector", by_vector)
    query = albums.query("invoice cat", farthest=0.0)
    rows = albums.db.write(lambda conn: albums.index.search(conn, query))
    assert [row["text"] for row in rows] == [TEXTS[0]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        "\"'\\",
        "AND OR NOT NEAR(",
        "a & b | !c <-> :*",
        "_",
        "invoice" * 1_000,
        "Ünïcödé 漢字 🦓",
        "x\n" * 4_000,
        "* ^ -",
    ],
)
def test_any_question_can_be_asked(albums, text):
    albums.add()
    assert albums.found(f"{text} invoice", farthest=0.0)[:1] in ([TEXTS[1]], [])
    assert albums.found(text, farthest=0.0) == []
