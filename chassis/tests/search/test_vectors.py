"""Passages are found by vectors, up to a distance: by pgvector, and by sqlite-vec in a Python that loads extensions."""

import json
import math
import subprocess
import sys
from operator import mul
from pathlib import Path

import pytest

from chassis.search import embedded, vectors
from chassis.tests.search.albums import TEXTS
from chassis.tests.servers import CLEAN, ROOT

NEAR, FAR, OPPOSITE = [1.0, 0.1], [0.1, 1.0], [-1.0, 0.0]
OF_TEXTS = {"vectors": [FAR, NEAR, OPPOSITE], "embedder": "acme/embed"}
ASKED = {"vector": [1.0, 0.0], "embedder": "acme/embed"}
ABLE = "import sqlite3, sys; sqlite3.connect(':memory:').enable_load_extension(True); print(*sys.version_info[:2])"


def answers(albums):
    """Return what is found by vectors alone, with several limits."""
    albums.add(**OF_TEXTS)
    limits = {"none": 2.0, "half": 1.0, "near": 0.1, "nothing": 0.0}
    found = {name: albums.found("zebra", **ASKED, farthest=limit) for name, limit in limits.items()}
    found["words first"] = albums.found("cat", **ASKED, farthest=0.1)
    found["another model"] = albums.found("zebra", vector=[1.0, 0.0], embedder="other")
    found["another length"] = albums.found("zebra", vector=[1.0, 0.0, 0.0], embedder="acme/embed")
    found["no direction"] = albums.found("zebra", vector=[0.0, 0.0], embedder="acme/embed")
    return found


EXPECTED = {
    "none": [TEXTS[1], TEXTS[0], TEXTS[2]],
    "half": [TEXTS[1], TEXTS[0]],
    "near": [TEXTS[1]],
    "nothing": [],
    "words first": [TEXTS[0], TEXTS[1]],
    "another model": [],
    "another length": [],
    "no direction": [],
}


def test_postgresql_compares_them(compared):
    assert answers(compared) == EXPECTED
    assert "by vectors with pgvector" in compared.db.read(vectors.described, unbounded=True)


def test_sqlite_compares_them(tmp_path):
    """The Python of the tests may have been built without extensions of SQLite; the system's has them."""
    if vectors.sqlite_vec is None:
        pytest.skip("sqlite-vec is not installed (the extra vectors)")
    if (python := able_python()) is None:
        pytest.skip("no Python of this version here loads extensions of SQLite")
    libraries = Path(vectors.sqlite_vec.__file__).parents[1]
    others = {str(Path(json.__file__).parents[1]), str(ROOT)}
    paths = [str(ROOT), str(libraries), *(path for path in sys.path if "-packages" in path and path not in others)]
    env = CLEAN | {"PYTHONPATH": ":".join(paths)}
    command = [python, "-m", "chassis.tests.search.in_sqlite", f"sqlite:///{tmp_path}/app.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("described").endswith("by vectors with sqlite-vec.")
    assert told == EXPECTED


def test_without_the_extension_words_alone_are_searched(albums, monkeypatch):
    monkeypatch.setattr(vectors, "sqlite_vec", None)
    albums.add(**OF_TEXTS)
    assert "and not by vectors" in albums.db.read(vectors.described, unbounded=True)
    assert albums.found("zebra", **ASKED) == []
    assert albums.found("cat", **ASKED) == [TEXTS[0]]


def test_vectors_are_read_as_they_were_stored(albums):
    albums.add(**OF_TEXTS)
    table = albums.index.table
    stored = albums.db.read(lambda conn: conn.execute(table.select().order_by(table.c.page)).mappings().first())
    assert stored["vector"] == pytest.approx(FAR)


def test_the_built_in_embedding_is_the_same_everywhere_and_near_for_similar_texts():
    one, near, far, empty = embedded(["the warranty of kettles", "kettle warranties", "dogs bark at night", ""])
    assert similarity(one, near) > similarity(one, far) + 0.2
    assert [place for place, value in enumerate(embedded(["kettle"])[0]) if value] == [237, 937]
    assert empty == [0.0] * 1_024


def similarity(one, other):
    return sum(map(mul, one, other)) / math.hypot(*one) / math.hypot(*other)


def able_python():
    """Return a Python of this version whose SQLite loads extensions, or None."""
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists():
            told = subprocess.run([python, "-c", ABLE], check=False, capture_output=True, text=True)
            if told.returncode == 0 and told.stdout.split() == [str(part) for part in sys.version_info[:2]]:
                return python
    return None
