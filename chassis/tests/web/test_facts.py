"""The gauges of /metrics that come from the database are read at once, from either database."""

from chassis.db import db
from chassis.jobs import job, new_job, registry, store
from chassis.settings import Settings
from chassis.tests.servers import new_database
from chassis.web import facts


def test_jobs_and_the_size_of_a_server_s_database_are_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    job("mail")(lambda context, payload: None)
    db.open(Settings(database_url=new_database(tmp_path)))
    try:
        db.write(lambda conn: [store.insert(conn, new_job("mail", {})) for _ in range(2)])
        found = db.read(facts._read)
        assert [tuple(row) for row in found.jobs] == [("mail", "queued", 2)]
        assert [kind for kind, _ in found.waiting] == ["mail"]
        assert (found.size_bytes > 0) == (db.writer.dialect.name == "postgresql")
    finally:
        db.close()
