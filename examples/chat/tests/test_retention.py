"""Old conversations and documents are deleted, and no others; settings that contradict production are refused."""

import pytest

from app.features.chat import library, store
from app.features.chat.settings import ChatSettings
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import new_database


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
            message = {"id": f"m{number}", "conversation_id": str(number), "position": 0, "role": "user"}
            store.add(conn, [{**message, "text": "x", "status": "done", "created_at": 0.0}])

    database.write(fill)
    assert database.write(lambda conn: store.delete_old(conn, 2.0, 1)) == 1
    assert database.write(lambda conn: store.delete_old(conn, 2.0, 9)) == 1
    assert sorted(database.read(lambda conn: store.of_owner(conn, "ada"))) == ["2", "3"]
    assert database.read(lambda conn: [len(store.thread(conn, str(number))) for number in range(4)]) == [0, 0, 1, 1]


def test_documents_from_before_a_time_are_deleted_with_their_chunks(database):
    def fill(conn):
        for number in range(3):
            row = {"id": str(number), "owner": "ada", "file_id": "f", "job_id": "j", "name": "n", "size": 1}
            library.insert(conn, [{**row, "created_at": float(number)}])
            library.add(conn, str(number), [{"page": None, "text": "words", "vector": [1.0]}])

    database.write(fill)
    assert database.write(lambda conn: library.delete_old(conn, 2.0, 9)) == 2
    left, total = database.read(lambda conn: library.listing(conn, "ada", limit=9, offset=0))
    assert ([row["id"] for row in left], total) == (["2"], 1)


def test_a_lease_is_taken_once_until_it_ends(database):
    def read(conn):
        return store.get(conn, "one")

    row = {"id": "one", "owner": "ada", "title": "t", "created_at": 0.0, "changed_at": 0.0}
    database.write(lambda conn: store.insert(conn, row))
    assert database.write(lambda conn: store.begin(conn, "one", "first", 10.0, 20.0))
    assert not database.write(lambda conn: store.begin(conn, "one", "second", 19.0, 30.0))
    assert database.write(lambda conn: store.begin(conn, "one", "second", 21.0, 30.0))
    assert not database.write(lambda conn: store.keep(conn, "one", "first", 99.0, text="late"))
    assert database.read(read)["answering_until"] == 30.0


@pytest.mark.parametrize(("allowed", "found"), [(False, ["CHAT_MOCK"]), (True, [])])
def test_mock_mode_in_production_must_be_allowed(allowed, found):
    settings = Settings(app_env="production")
    own = ChatSettings(chat_mock=True, chat_mock_in_production=allowed)
    assert [name for name, _ in own.problems_with(settings)] == found
