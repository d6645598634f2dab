"""The built-in embedding, the joined ranks, and the extension that compares vectors within SQLite."""

import subprocess
import sys
from operator import mul
from pathlib import Path

import pytest

from app.features.chat import library, search
from app.features.chat.reader import CHUNK_CHARACTERS, cut
from app.features.chat.vectors import BUILT_IN, built_in, words_of
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import ROOT, new_database

TEXTS = ["Cats purr when they are content.", "The invoice is due in thirty days.", "Dogs bark at night."]
EXTENDED = "import sqlite3; sqlite3.connect(':memory:').enable_load_extension(True)"


@pytest.fixture
def database(tmp_path):
    db.open(Settings(database_url=new_database(tmp_path)))
    yield db
    db.close()


def fill(conn, owner="ada", embedder=BUILT_IN):
    row = {"id": owner, "owner": owner, "job_id": "j", "name": "n", "created_at": 0.0}
    library.insert(conn, [row])
    library.begin(conn, owner, embedder)
    library.add(conn, owner, [{"page": 1, "text": text, "vector": built_in(text)} for text in TEXTS])


def similarity(one, other):
    return sum(map(mul, one, other))


def loads_extensions(python):
    return subprocess.run([python, "-c", EXTENDED], check=False, capture_output=True).returncode == 0


def found(owner, question, most=3):
    return [one["text"] for one in search.search(owner, question, built_in(question), BUILT_IN, most)]


def test_words_in_other_forms_are_found_and_numbered(database):
    database.write(fill)
    assert found("ada", "When is an invoice due?")[0] == TEXTS[1]
    assert found("ada", "a barking dog")[0] == TEXTS[2]
    (one,) = search.search("ada", "a cat", built_in("a cat"), BUILT_IN, 1)
    assert (one["number"], one["page"], one["text"]) == (1, 1, TEXTS[0])


def test_nothing_is_found_in_the_documents_of_others(database):
    database.write(fill)
    assert found("eve", "invoice") == []


def test_a_word_of_any_length_can_be_asked_for(database):
    database.write(fill)
    long = "\U00020000" * 8_000
    assert max(len(word.encode()) for word in words_of(long)) < 2_000  # the most that PostgreSQL looks for
    assert found("ada", f"invoice {long}")[0] == TEXTS[1]


def test_chunks_of_another_embedding_are_found_by_words(database):
    database.write(lambda conn: fill(conn, embedder="acme/embed"))
    assert found("ada", "invoice")[0] == TEXTS[1]


def test_deleted_chunks_leave_the_index(database):
    database.write(fill)
    database.write(lambda conn: library.remove(conn, "ada"))
    assert found("ada", "invoice") == []


def test_the_built_in_embedding_is_the_same_everywhere_and_near_for_similar_texts():
    one, near, far = map(built_in, ("the warranty of kettles", "kettle warranties", "dogs bark at night"))
    assert similarity(one, near) > similarity(one, far) + 0.2
    assert sum(value * value for value in one) == pytest.approx(1)
    assert built_in("") == [0.0] * 256


def test_the_extension_compares_vectors_within_sqlite(tmp_path):
    """The Python of the tests may have been built without extensions; Debian's has them."""
    pythons = [sys.executable, "/usr/bin/python3"]
    able = [one for one in pythons if Path(one).exists() and loads_extensions(one)]
    if not able or search.sqlite_vec is None:
        pytest.skip("no Python here loads extensions of SQLite, or sqlite-vec is not installed")
    folder = Path(search.sqlite_vec.__file__).parents[1]
    script = f"""
import importlib.util, sqlite3, sys
from array import array
sys.path.append({str(folder)!r})
import sqlite_vec
connection = sqlite3.connect(":memory:")
connection.enable_load_extension(True)
sqlite_vec.load(connection)
near, far, asked = (array("f", vector).tobytes() for vector in ([1, 0.1], [0, 1], [1, 0]))
query = "SELECT n FROM (SELECT 'far' n, ? v UNION ALL SELECT 'near', ?) ORDER BY vec_distance_cosine(v, ?)"
print([name for (name,) in connection.execute(query, (far, near, asked))])
"""
    said = subprocess.run([able[0], "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.strip() == "['near', 'far']"


def test_long_texts_are_cut_at_sentences_and_overlap():
    text = " ".join(f"This is sentence number {n} of a long text." for n in range(200))
    pieces = list(cut(text))
    assert all(len(piece) <= CHUNK_CHARACTERS for piece in pieces)
    assert all(piece.endswith(".") for piece in pieces)
    assert all(any(f"number {n} of" in piece for piece in pieces) for n in range(200))
    assert next(cut("x" * 3_000)) == "x" * CHUNK_CHARACTERS
