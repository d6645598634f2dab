"""Names and declarations that are refused, each with its reason, before any file is written."""

import pkgutil

import pytest

from chassis import features
from chassis.cli.new.columns import TYPES, parsed
from chassis.cli.new.names import one_of
from chassis.errors import BadRequest

PART = min(module.name for module in pkgutil.iter_modules([str(features.PARTS)]))
FEATURES = {
    "Photo Albums": "digits and single underscores, such as photo_albums",
    "3d": "lower-case Latin letters",
    "日本": "lower-case Latin letters",
    "a__b": "single underscores, such as a_b",
    "a" * 29: "29 characters, more than 28",
    "class": "a keyword of Python",
    "match": "a keyword of Python",
    "order": "a keyword of SQL",
    "user": "a keyword of SQL",
    "boats": "a feature 'boats' already",
    PART: "part of the chassis",
    "core": "reserved for the chassis",
    "metadata": "reserved for the chassis",
    "live": "reserved for the chassis",
    "vendor": "reserved for the chassis",
    "schedules": "a table already",
    "alembic_version_core": "reserved for databases",
    "cleanup": "a kind of jobs already",
    "gunicorn": "a library in the lock",
    "prometheus_client": "a library in the lock",
    "metrics": "is a route already",
    "usage": "is a route already",
    "jobs": "already",
}
TABLES = {
    "": "1 to 50 columns",
    "title": "'title' is no NAME:TYPE; types: text, int",
    "title:string": "'title:string' is no NAME:TYPE",
    "title:text title:int": "two columns 'title'",
    "Title:text": "such as title",
    "id:int": "uses itself",
    "owner:text": "uses itself",
    "order:int": "a keyword of SQL",
    "class:text": "a keyword of Python",
    "json:json": "something else in a model",
    "model_name:text": "something else in a model",
    "int:int": "something else in a model",
    f"{'a' * 41}:int": "more than 40",
    " ".join(f"c{number}:int" for number in range(51)): "1 to 50 columns",
}


def everything(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize("name", FEATURES, ids=range(len(FEATURES)))
def test_a_feature_that_cannot_have_its_name_is_refused(flask, own, name):
    before = everything(own)
    said = flask("feature", name, status=1)
    assert said.startswith("Error: No file was written. ")
    assert FEATURES[name] in said
    assert everything(own) == before


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_a_table_that_cannot_be_made_is_refused(flask, own, table):
    before = everything(own)
    assert TABLES[table] in flask("feature", "albums", "--table", table, status=1)
    assert everything(own) == before


@pytest.mark.parametrize("what", ["event", "job"])
def test_an_addition_needs_a_feature_and_a_free_name(flask, own, what):
    assert "There is no feature 'albums' in app/features: boats" in flask(what, "albums", "typing", status=1)
    assert "digits and single underscores" in flask(what, "boats", "Typing", status=1)
    flask(what, "boats", "typing")
    before = everything(own)
    assert f"boats/{what}s_typing.py exists" in flask(what, "boats", "typing", status=1)
    assert everything(own) == before


def test_a_migration_needs_tables_and_a_sentence(flask, own):
    assert "There is no feature 'albums'" in flask("migration", "albums", "more", status=1)
    assert "boats has no tables" in flask("migration", "boats", "more", status=1)
    assert "Say in a few words" in flask("migration", "boats", "...", status=1)
    assert not (own / "boats/migrations").exists()


def test_names_that_look_reserved_and_are_not():
    names = ("count", "index_of", "type", "text", "items", "keys", "name", "title", "list", "date", "time")
    assert [column.name for column in parsed(", ".join(f"{name}:text" for name in names))] == [*names]


def test_every_type_can_be_declared(flask):
    assert f"types: {', '.join(TYPES)}." in " ".join(flask("feature", "--help").split())
    assert {column.kind for column in parsed(" ".join(f"a_{kind}:{kind}" for kind in TYPES))} == {*TYPES}
    with pytest.raises(BadRequest, match="types: text, int, float, bool, date, time, json"):
        parsed("a:datetime")


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("albums", "album"),
        ("cities", "city"),
        ("batches", "batch"),
        ("boxes", "box"),
        ("classes_of", "classes_of"),
        ("glasses", "glass"),
        ("news", "news"),
        ("status", "status"),
        ("inventory", "inventory"),
        ("photo_albums", "photo_album"),
        ("ties", "tie"),
    ],
)
def test_the_singular(many, one):
    assert one_of(many) == one
