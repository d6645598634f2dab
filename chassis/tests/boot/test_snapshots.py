"""A boot never replaces a good database by a worse snapshot."""

import hashlib

import pytest

from chassis.base.service import current
from chassis.boot import boot
from chassis.errors import AppError
from chassis.settings import Settings
from chassis.tests.boot.seeds import refused, snapshot, sql
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import new_database


def test_a_wrong_checksum_stops_the_start_with_one_sentence_and_a_closed_port(serve, tmp_path):
    url, _ = snapshot(tmp_path)
    server = serve(ready=False, DATABASE_SNAPSHOT_URL=url, DATABASE_SNAPSHOT_SHA256="0" * 64)
    assert server.process.wait(LIMIT_SECONDS) == 1
    assert refused(server.port)
    assert "Traceback" not in server.log
    assert "checksum" in server.log.lower()
    assert not (tmp_path / "app.db").exists()


def settings_of(tmp_path, url, checksum, policy):
    snapshot = {"database_snapshot_url": url, "database_snapshot_sha256": checksum, "database_snapshot_policy": policy}
    return Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db", **snapshot)


def foreign(tmp_path):
    sql(tmp_path / "foreign.db", "CREATE TABLE t (a)")
    return (tmp_path / "foreign.db").as_uri(), hashlib.sha256((tmp_path / "foreign.db").read_bytes()).hexdigest()


WORSE = {
    "other tables": (foreign, "does not belong to this service"),
    "a newer version": (
        lambda folder: snapshot(folder, "UPDATE alembic_version SET version_num = '9999'"),
        "newer than this code",
    ),
    "a column too few": (
        lambda folder: snapshot(folder, "ALTER TABLE api_keys DROP COLUMN expires_at"),
        "lacks columns of its version: api_keys.expires_at",
    ),
    "no version": (lambda folder: snapshot(folder, "DELETE FROM alembic_version"), "tables without a version: core"),
    "a table too few": (lambda folder: snapshot(folder, "DROP TABLE jobs"), "lacks tables of its version: jobs"),
    "a version table that is none": (
        lambda folder: snapshot(folder, "ALTER TABLE alembic_version RENAME COLUMN version_num TO n"),
        "cannot be read",
    ),
    "nothing to fetch": (lambda folder: ((folder / "none.db").as_uri(), "0" * 64), "No such file"),
    "another checksum": (lambda folder: (snapshot(folder)[0], "0" * 64), "expected"),
}
if "accounts" in current().parts:
    WORSE["a part without a version"] = (
        lambda folder: snapshot(folder, "DROP TABLE alembic_version_accounts"),
        "tables without a version: accounts",
    )


@pytest.mark.parametrize("case", WORSE)
def test_a_refresh_never_replaces_a_good_database_by_a_worse_one(tmp_path, case):
    prepare, sentence = WORSE[case]
    new_database(tmp_path)
    sql(tmp_path / "app.db", "UPDATE security_version SET number = 4711")
    url, checksum = prepare(tmp_path)
    boot(settings_of(tmp_path, url, checksum, "refresh"))
    assert sql(tmp_path / "app.db", "SELECT number FROM security_version") == (4711,)
    (told,) = sql(tmp_path / "app.db", "SELECT outcome FROM boot_outcomes WHERE step = 'fetch the snapshot'")
    assert told.startswith("refused: ")
    assert sentence in told
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".app.db") or "-20" in path.name]


@pytest.mark.parametrize("case", WORSE)
@pytest.mark.parametrize("policy", ["if-missing", "refresh"])
def test_a_snapshot_that_is_refused_is_left_nowhere(tmp_path, case, policy):
    prepare, sentence = WORSE[case]
    with pytest.raises(AppError, match=sentence):
        boot(settings_of(tmp_path, *prepare(tmp_path), policy))
    assert not list(tmp_path.glob("*app.db*[!k]"))
    assert not (tmp_path / "app.db").exists()
    url, checksum = snapshot(tmp_path)  # a good one is taken then
    boot(settings_of(tmp_path, url, checksum, policy))
    assert sql(tmp_path / "app.db", "SELECT count(*) FROM seeded") == (0,)


def test_a_refresh_that_fails_on_a_database_that_is_no_good_either_stops_the_start(tmp_path):
    (tmp_path / "app.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(AppError, match="does not belong to this service"):
        boot(settings_of(tmp_path, *foreign(tmp_path), "refresh"))


def test_a_refused_refresh_is_told_by_readiness_and_metrics(serve, tmp_path):
    new_database(tmp_path)
    url, checksum = foreign(tmp_path)
    names = ("DATABASE_SNAPSHOT_URL", "DATABASE_SNAPSHOT_SHA256", "DATABASE_SNAPSHOT_POLICY")
    server = serve(**dict(zip(names, (url, checksum, "refresh"), strict=True)))
    check = server.json("/readyz")["checks"]["snapshot"]
    assert check["ok"]
    assert "does not belong to this service" in check["detail"]
    assert 'app_snapshot_info{outcome="refused"} 1.0' in server.get("/metrics")[1]
    assert "snapshot_refused" in server.log
