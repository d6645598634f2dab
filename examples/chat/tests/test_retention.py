"""Old conversations and documents are deleted, and no others; settings that contradict production are refused."""

import pytest

from app.features.chat import library, store
from app.features.chat.settings import ChatSettings
from app.features.chat.tables import conversations, index
from chassis.db import db
from chassis.files import StoredFile
from chassis.files import store as files
from chassis.realtime import Written
from chassis.security import leaving
from chassis.settings import Settings
from chassis.tests.conftest import new_database

MESSAGE = {"position": 0, "role": "user", "created_at": 0.0, **Written("x", "done").as_dict()}


@pytest.fixture
def database(tmp_path):
    db.open(Settings(database_url=new_database(tmp_path)))
    yield db
    db.close()


def test_conversations_from_before_a_time_are_deleted_with_their_messages(database):
    def fill(conn):
        for number in range(4):
            times = {"created_at": float(number), "changed_at": float(number)}
            store.insert(conn, {"id": str(number), "owner": "ada", "title": "t", **times})
            store.add(conn, str(number), [{**MESSAGE, "id": f"m{number}"}])

    database.write(fill)
    assert database.write(lambda conn: store.delete_old(conn, 2.0, 1)) == 1
    assert database.write(lambda conn: store.delete_old(conn, 2.0, 9)) == 1
    assert sorted(database.read(lambda conn: store.of_owner(conn, "ada"))) == ["2", "3"]
    assert database.read(lambda conn: [len(store.thread(conn, str(number))) for number in range(4)]) == [0, 0, 1, 1]


def test_documents_from_before_a_time_are_deleted_with_their_passages_and_files(database):
    def fill(conn):
        for number in range(3):
            owned = {"id": str(number), "owner": "ada", "name": "n", "created_at": float(number)}
            library.insert(conn, [{**owned, "job_id": "j"}])
            files.insert(conn, [StoredFile(**owned, label="chat", kind="text/plain", size=1, sha256="")])
            index.add(conn, str(number), [{"page": None, "text": "words"}], [[1.0]], "acme/embed")

    database.write(fill)
    assert database.write(lambda conn: library.delete_old(conn, 2.0, 1)) == 1  # a passage
    assert database.write(lambda conn: library.delete_old(conn, 2.0, 9)) == 3
    assert database.read(lambda conn: [library.get(conn, str(number)) is None for number in range(3)]) == [1, 1, 0]
    assert database.read(lambda conn: files.known(conn, ["0", "1", "2"])) == {"2"}
    assert database.read(lambda conn: len(conn.execute(index.table.select()).all())) == 1


def test_rows_of_people_who_leave_pass_to_an_heir_or_are_deleted(database):
    def fill(conn):
        for owner in ("ada", "eve"):
            store.insert(conn, {"id": owner, "owner": owner, "title": owner, "created_at": 0.0, "changed_at": 0.0})
            store.add(conn, owner, [{**MESSAGE, "id": f"m{owner}"}])

    part = leaving.owned(conversations, "conversations", named="title")
    database.write(fill)
    assert database.read(lambda conn: part.find(conn, leaving.Departure("ada"))).names == ["ada"]
    database.write(lambda conn: part.end(conn, leaving.Departure("ada", heir="bob")))
    database.write(lambda conn: part.end(conn, leaving.Departure("eve")))
    assert database.read(lambda conn: store.of_owner(conn, "bob")) == ["ada"]
    assert database.read(lambda conn: [len(store.thread(conn, one)) for one in ("ada", "eve")]) == [1, 0]


@pytest.mark.parametrize(("allowed", "found"), [(False, ["CHAT_MOCK"]), (True, [])])
def test_mock_mode_in_production_must_be_allowed(allowed, found):
    settings = Settings(app_env="production")
    own = ChatSettings(chat_mock=True, chat_mock_in_production=allowed)
    assert [name for name, _ in own.problems_with(settings)] == found
