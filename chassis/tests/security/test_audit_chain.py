"""The audit log as a chain: whatever is done to it past the application is named, and retention breaks nothing."""

import json
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from app import create_app
from chassis.boot import branches
from chassis.db import db, state
from chassis.db.schema import upgrade
from chassis.errors import BadRequest
from chassis.security import audit, audit_store, keys
from chassis.security.audit_chain import BEGINNING, ChainBroken, Head, hash_of
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT, new_database
from chassis.tests.documents import blocks
from chassis.wiring import settings_of


@pytest.fixture
def app(tmp_path):
    made = create_app(Settings(app_env="test", database_url=new_database(tmp_path)))
    with made.app_context():
        yield made
    db.close()


@pytest.fixture
def log(app):
    """A log of nine entries."""
    fill(9)
    return app


def fill(number):
    for n in range(number):
        audit.record("key.create", f"key {n}", actor="ada")


def run(app, *words):
    return app.test_cli_runner().invoke(args=["audit", *words])


def sql(statement, **values):
    return db.write(lambda conn: conn.execute(text(statement), values).rowcount)


def test_each_entry_holds_the_hash_of_the_one_before(log):
    lines = list(audit.export())
    assert [line["number"] for line in lines] == list(range(1, 10))
    assert [line["previous"] for line in lines] == [BEGINNING, *(line["hash"] for line in lines[:-1])]
    assert str(audit.verify()) == str(audit.head()) == f"9:{lines[-1]['hash']}"


def test_an_empty_log_is_whole(app):
    assert audit.verify() == Head(0, BEGINNING)


@pytest.mark.parametrize("column", ["actor", "action", "target", "address", "result"])
def test_a_changed_entry_is_named(log, column):
    sql(f"UPDATE audit_log SET {column} = 'mallory' WHERE number = 4")
    with pytest.raises(ChainBroken, match="Entry 4 was changed"):
        audit.verify()


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        ("UPDATE audit_log SET at = at + 1e-6 WHERE number = 5", "Entry 5 was changed"),
        ("UPDATE audit_log SET hash = previous WHERE number = 9", "Entry 9 was changed"),
        ("DELETE FROM audit_log WHERE number = 4", "Before entry 5 entry 4 is missing"),
        ("DELETE FROM audit_log WHERE number BETWEEN 1 AND 3", "Before entry 4 entries 1 to 3 are missing"),
        ("DELETE FROM audit_log WHERE number > 7", "The log is truncated: entries 8 to 9 are missing"),
        ("DELETE FROM audit_log", "The log is truncated: entries 1 to 9 are missing"),
        ("DELETE FROM audit_chain", "audit_chain, which says where the log ends, is missing"),
        ("UPDATE audit_log SET number = 4 - number WHERE number IN (1, 3)", "Entry 1 was changed"),
        (
            "INSERT INTO audit_log (at, actor, action, target, address, result) VALUES (1, 'a', 'b', 'c', '', 'ok')",
            "The entry with the id 10 is outside the chain",
        ),
        (
            "INSERT INTO audit_log (at, actor, action, target, address, result, number, previous, hash) "
            "SELECT at, actor, action, target, address, result, 10, previous, hash FROM audit_log WHERE number = 9",
            "Entry 10 was changed",
        ),
    ],
)
def test_an_attack_on_the_table_is_named(log, attack, told):
    if "4 - number" in attack:  # swapped, which a unique number takes three steps for
        for a, b in ((1, -1), (3, 1), (-1, 3)):
            sql("UPDATE audit_log SET number = :b WHERE number = :a", a=a, b=b)
    else:
        assert sql(attack)
    with pytest.raises(ChainBroken, match=told):
        audit.verify()


def forge(number, **changed):
    """Do what somebody does who knows the code and may write the database: make the chain again from an entry on."""
    lines = list(audit.export())
    previous = lines[number - 2]["hash"]
    for line in lines[number - 1 :]:
        values = line | (changed if line["number"] == number else {})
        hashed = hash_of(line["number"], previous, values)
        sql(
            "UPDATE audit_log SET actor = :actor, previous = :previous, hash = :hash WHERE number = :number",
            actor=values["actor"],
            previous=previous,
            hash=hashed,
            number=line["number"],
        )
        previous = hashed
    return previous


def test_an_entry_that_was_made_again_alone_breaks_the_next(log):
    hashed = forge(5, actor="mallory")
    old = audit.head()
    with pytest.raises(ChainBroken, match="Entry 9 and its hash were changed"):
        audit.verify()
    sql("UPDATE audit_chain SET hash = :hash", hash=hashed)
    assert audit.verify() != old
    with pytest.raises(ChainBroken, match="Entry 9 does not match the given head"):
        audit.verify(old)


def test_a_log_that_was_cut_with_its_end_shows_against_a_head_from_elsewhere(log):
    head, line = audit.head(), list(audit.export())[6]
    sql("DELETE FROM audit_log WHERE number > 7")
    sql("UPDATE audit_chain SET number = 7, hash = :hash", hash=line["hash"])
    assert audit.verify().number == 7
    with pytest.raises(ChainBroken, match="truncated after entry 7: entry 9 is missing"):
        audit.verify(head)


def test_retention_takes_the_oldest_and_leaves_a_chain_that_can_be_verified(log):
    heads = [Head(line["number"], line["hash"]) for line in audit.export()]
    limit = list(audit.export())[5]["at"]
    assert db.write(lambda conn: audit_store.delete_entries(conn, limit, 3)) == 3
    assert audit.verify(heads[5]).number == 9
    with pytest.raises(BadRequest, match="Entry 2 is no longer kept; the first is 4"):
        audit.verify(heads[1])
    assert db.write(lambda conn: audit_store.delete_entries(conn, time.time() + 1, 100)) == 6
    assert audit.verify() == heads[-1]
    fill(1)
    assert audit.verify().number == 10
    sql("DELETE FROM audit_log")
    with pytest.raises(ChainBroken, match="entry 10 is missing"):
        audit.verify()


def test_entries_from_before_the_chain_stay_and_go_by_age(log, tmp_path):
    sql("UPDATE audit_log SET number = NULL, previous = NULL, hash = NULL WHERE number = 1")
    sql("UPDATE audit_chain SET earlier_id = 1, first_number = 2")
    assert audit.verify().number == 9
    assert db.write(lambda conn: audit_store.delete_entries(conn, time.time() + 1, 2)) == 2
    assert audit.verify().number == 9


def test_an_entry_whose_transaction_is_rolled_back_leaves_no_gap(log):
    def fail(conn):
        audit.write(conn, audit.entry("key.create", "never"))
        raise KeyError

    with pytest.raises(KeyError):
        db.write(fail)
    fill(1)
    assert audit.verify().number == 10


def test_texts_that_no_database_holds_do_not_break_it(app):
    audit.record("account.sign_in", "a\x00b \ud83d", actor="\udcff")
    assert audit.verify().number == 1


def test_the_commands_print_the_head_export_and_verify(log, tmp_path):
    head = run(log, "head").output.strip()
    assert head == str(audit.head())
    assert run(log, "verify", "--head", head).output == f"The log is intact. Its head: {head}\n"
    file = tmp_path / "log.jsonl"
    assert run(log, "export", "--to", str(file)).exit_code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["target"] for line in lines] == [f"key {n}" for n in range(9)]
    assert lines[0]["time"].endswith("Z") or "+00:00" in lines[0]["time"]
    assert run(log, "verify", str(file)).output == f"The log is intact. Its head: {head}\n"
    for words in blocks("chassis/docs/operations.md", "The audit log's chain")[0].splitlines():
        typed = [word.replace("audit.jsonl", str(file)) for word in words.split()[2:]]
        assert run(log, *typed).exit_code == 0, words
    file.write_text(file.read_text().replace("key 3", "key 8"))
    found = run(log, "verify", str(file))
    assert (found.exit_code, found.output) == (1, "Error: Entry 4 was changed.\n")
    file.write_text("[]\n")
    assert run(log, "verify", str(file)).output == "Error: Line 1 of the file is not an audit log entry.\n"
    assert "A head is a number" in run(log, "verify", "--head", "9").output
    assert run(log, "export", "--since", "0s").output == ""


WRITER = """
import sys
from app import create_app
from chassis.settings import Settings
app = create_app(Settings(app_env="test", database_url=sys.argv[1]))
from chassis.security import audit
with app.app_context():
    for n in range(40):
        audit.record("key.create", f"{sys.argv[2]} {n}", actor="ada")
"""


def write_from_several_processes(url):
    command = [sys.executable, "-c", WRITER, url]
    writers = [subprocess.Popen([*command, str(number)], cwd=ROOT, env=CLEAN) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert audit.verify().number == 120
    assert len({line["target"] for line in audit.export()}) == 120


@pytest.mark.server
def test_several_processes_keep_one_chain(app):
    write_from_several_processes(settings_of(app).database_url.get_secret_value())


@pytest.mark.long
def test_several_processes_keep_one_chain_on_postgresql(postgres_url):
    made = create_app(Settings(app_env="test", database_url=postgres_url))
    upgrade(db, branches())
    with made.app_context():
        write_from_several_processes(postgres_url)
        assert db.write(lambda conn: audit_store.delete_entries(conn, time.time() + 1, 100)) == 100
        assert audit.verify().number == 120
    db.close()


def test_who_becomes_an_admin_is_counted(app):
    def made():
        return (db.read(lambda conn: state.get(conn, audit.ADMINS_MADE)) or {"count": 0})["count"]

    keys.create(keys.NewKey("a reader", ("read",)))
    assert made() == 0
    keys.create(keys.NewKey("n" * 400, ("submit", "admin")))
    assert made() == 1
    assert "app_admins_made 1.0" in app.test_client().get("/metrics").text
