"""What is cited: passages of an owner's documents that have been read and that fit; the default limit was measured."""

import math
import re
import time
from operator import mul

import pytest

from app.features.chat import library, search
from app.features.chat.model import model
from app.features.chat.settings import ChatSettings
from app.features.chat.tables import index
from chassis.db import db
from chassis.files.text_child import cut, tidied
from chassis.search import BUILT_IN, embedded
from chassis.settings import Settings
from chassis.tests.conftest import ROOT, new_database

TEXTS = ["Cats purr when they are content.", "The invoice is due in thirty days.", "Dogs bark at night."]
ELSEWHERE = [  # questions that these documents do not answer
    "What is the capital of France?",
    "How do I bake bread with sourdough?",
    "Which vitamins are in oranges?",
    "When did the Roman empire fall?",
    "How tall is Mount Everest?",
    "Who painted the Mona Lisa?",
    "Best time to plant tomatoes",
    "How many players are in a football team?",
    "What causes earthquakes?",
    "Recipe for apple pie with cinnamon",
    "How do whales sleep?",
    "What is the tax rate in Norway?",
    "Symptoms of the flu in children",
    "How to tune a guitar",
    "Distance from Earth to Moon",
    "Why is the sky blue?",
    "How long do cats live?",
    "Tell me a joke about penguins",
]
HEADINGS = re.compile(r"^## ", re.MULTILINE)


@pytest.fixture
def database(tmp_path, monkeypatch):
    db.open(Settings(database_url=new_database(tmp_path)))
    for name, value in {"embedder": BUILT_IN, "farthest": 0.8, "excerpts": 3}.items():
        monkeypatch.setattr(model, name, value, raising=False)
    yield db
    db.close()


def fill(conn, owner="ada", *, read=True):
    library.insert(conn, [{"id": owner, "owner": owner, "job_id": "j", "name": "n", "created_at": 0.0}])
    passages = [{"page": 1, "text": text} for text in TEXTS]
    index.add(conn, owner, passages, embedded(TEXTS), BUILT_IN)
    library.change(conn, owner, indexed_at=time.time() if read else None)


def found(owner, question):
    return search.search(owner, question, embedded([question])[0])


def test_passages_are_numbered_and_name_their_document(database):
    database.write(fill)
    assert found("ada", "a cat")[0] == {"number": 1, "document_id": "ada", "name": "n", "page": 1, "text": TEXTS[0]}


def test_nothing_is_found_in_the_documents_of_others(database):
    database.write(fill)
    assert found("eve", "invoice") == []


def test_a_document_that_is_still_read_is_not_cited(database):
    database.write(lambda conn: fill(conn, read=False))
    assert found("ada", "invoice") == []
    database.write(lambda conn: library.change(conn, "ada", indexed_at=time.time()))
    assert found("ada", "invoice")[0]["text"] == TEXTS[1]


def test_nothing_is_cited_for_a_question_that_nothing_fits(database):
    database.write(fill)
    assert found("ada", "Who painted the Mona Lisa?") == []


def sections():
    """Yield (heading, passages below it) of the documents of the chassis."""
    for path in sorted((ROOT / "chassis/docs").glob("*.md")):
        for part in HEADINGS.split(path.read_text())[1:] if path.name != "reference.md" else ():
            heading, _, text = part.partition("\n")
            passages = list(cut(tidied(text)))
            if passages and len(heading.split()) > 2:
                yield heading, passages


def units(texts):
    """Return the vectors of texts with the length 1."""
    lengths = [(vector, math.hypot(*vector) or 1.0) for vector in embedded(texts)]
    return [[value / length for value in vector] for vector, length in lengths]


def nearest(asked, vectors):
    """Return the smallest cosine distance."""
    return min(1 - sum(map(mul, asked, one)) for one in vectors)


def test_the_default_distance_keeps_what_fits_and_leaves_out_the_rest():
    """Vectors alone find every third section by its heading, and none for what is written nowhere."""
    known = list(sections())
    vectors = [units(passages) for _, passages in known]
    farthest = ChatSettings().chat_max_distance
    headings = units(heading for heading, _ in known)
    kept = [nearest(asked, own) <= farthest for asked, own in zip(headings, vectors, strict=True)]
    assert len(kept) > 20
    assert sum(kept) > len(kept) / 4
    every = [one for own in vectors for one in own]
    distances = [nearest(asked, every) for asked in units(ELSEWHERE)]
    assert [text for text, found in zip(ELSEWHERE, distances, strict=True) if found <= farthest] == []
