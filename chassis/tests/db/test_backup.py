"""Backups: of one moment under load, whole or not there, kept as long as told, refused when damaged, put back."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from chassis import boot
from chassis.base.compression import zstd
from chassis.boot import branches
from chassis.cli import database
from chassis.db import backup, db, schema
from chassis.db.backup import copy, memory
from chassis.db.backup.checks import row_counts
from chassis.db.backup.model import made_at, name_at
from chassis.db.snapshot.progress import Progress
from chassis.errors import AppError
from chassis.settings import Settings
from chassis.tests.patience import wait_until
from chassis.tests.servers import CLEAN, ROOT, new_database
from chassis.wiring import wire

SAID = r"app-\d{8}T\d{6}Z\.db\.zst"
DAY = 86_400


@pytest.fixture
def path(tmp_path):
    new_database(tmp_path)
    return tmp_path / "app.db"


@pytest.fixture
def settings(path):
    made = Settings(app_env="test", database_url=f"sqlite:///{path}")
    db.open(made)
    schema.know(branches())
    yield made
    db.close()


@pytest.fixture
def folder(path):
    """Where the backups go."""
    return path.parent / "backups"


@pytest.fixture
def make(settings):
    """Make a backup; what it reports is kept in `make.said`."""

    def run(**options):
        return backup.make(settings, report=run.said.append, **options)

    run.said = []
    return run


def quiet(_line):
    """Report to nobody."""


def fill(path, *, rows=2000):
    """Add weight that hardly packs."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE weights (weight BLOB)")
        connection.executemany("INSERT INTO weights VALUES (randomblob(1000))", [()] * rows)
        connection.commit()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def unpacked(folder, name, target):
    target.write_bytes(zstd.decompress((folder / name).read_bytes()))
    return target


def rows(path, table):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def test_a_backup_is_one_packed_file_with_a_checksum_that_sha256sum_reads(make, path, folder, tmp_path):
    made = make()
    assert re.fullmatch(SAID, made.name)
    assert names(folder) == [made.name, f"{made.name}.sha256"]
    subprocess.run(["sha256sum", "--check", "--quiet", f"{made.name}.sha256"], cwd=folder, check=True)
    assert {**row_counts(unpacked(folder, made.name, tmp_path / "copy.db")), "app_state": 2} == row_counts(path)
    assert {(folder / name).stat().st_mode & 0o777 for name in names(folder)} == {0o600}
    assert (made.size_bytes, made.database_bytes) == ((folder / made.name).stat().st_size, path.stat().st_size)


def test_the_listing_tells_size_age_checksum_and_proof(make, settings, folder):
    first, second = make(), make()
    listed = backup.listing(settings)
    assert [(one.name, one.sha256, one.proven_at) for one in listed] == [
        (second.name, second.sha256, None),
        (first.name, first.sha256, None),
    ]
    assert listed[0].made_at == second.made_at == made_at(second.name, "app")
    assert listed[0].size_bytes == second.size_bytes
    proof = backup.verify("latest", settings, quiet)
    assert (proof.name, proof.migrated, proof.rows["security_version"]) == (second.name, [], 1)
    assert backup.listing(settings)[0].proven_at >= second.made_at
    assert backup.listing(settings)[1].proven_at is None


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=120)
connection.execute("PRAGMA journal_mode=WAL")
while True:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE one SET n = n - 1")
    connection.execute("UPDATE other SET n = n + 1")
    connection.execute("COMMIT")
"""


def test_a_backup_under_load_is_of_one_moment_and_comes_to_an_end(make, path, folder, tmp_path, monkeypatch):
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE one AS SELECT 1000000 AS n")
        connection.execute("CREATE TABLE other AS SELECT 0 AS n")
        connection.commit()
    monkeypatch.setattr(copy, "STEP_BYTES", 65_536)
    steps = []
    monkeypatch.setattr(Progress, "__call__", lambda self, done, total: steps.append((self._what, done)))
    writing = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(2)]
    try:
        wait_until(lambda: rows(path, "other")[0][0] > 100)
        made = make()
        later = rows(path, "other")[0][0]
    finally:
        for process in writing:
            process.kill()
            process.wait()
    found = unpacked(folder, made.name, tmp_path / "copy.db")
    (one,), (other,) = rows(found, "one")[0], rows(found, "other")[0]
    assert one + other == 1_000_000
    copied = [done for what, done in steps if what == "copied"]
    assert len(copied) > 10
    assert copied == sorted(set(copied)), "it began anew, as it would for ever under a steady load"
    assert 100 < other < later
    assert copy.problem_of(found, "integrity_check") is None


# What stops in the middle, so that it can be killed there. Only one module gets another clock or digest: a backup also
# sleeps before its first file, when the name of this second is taken.
SLOW = """
import sys, time
from types import SimpleNamespace
from chassis.db import backup, db
from chassis.db.backup import copy, pack
from chassis.settings import Settings
def stop(*_):
    print("now", flush=True)
    sys.stdin.read()
class Digest:
    seen = 0
    def update(self, some):
        self.seen += len(some)
        if self.seen > 2_000_000: stop()
if sys.argv[2] == "copy":
    copy.time = SimpleNamespace(monotonic=time.monotonic, sleep=stop)
else:
    pack.hashlib = SimpleNamespace(sha256=Digest)
settings = Settings(app_env="test", database_url=f"sqlite:///{sys.argv[1]}")
db.open(settings)
backup.make(settings, report=lambda line: None)
"""


@pytest.mark.parametrize("where", ["copy", "pack"])
def test_a_backup_that_is_killed_leaves_the_earlier_ones_and_no_half_file(make, settings, path, folder, where):
    fill(path, rows=8000)
    first = make()
    command = [sys.executable, "-c", SLOW, str(path), where]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=CLEAN, text=True, **pipes) as process:
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    hidden = [name for name in names(folder) if name.startswith(".app-")]
    assert hidden
    assert [one.name for one in backup.listing(settings)] == [first.name]
    assert sorted(set(names(folder)) - set(hidden)) == [first.name, f"{first.name}.sha256"]
    second = make()
    assert names(folder) == sorted(f"{one.name}{end}" for one in (first, second) for end in ("", ".sha256"))
    assert backup.verify(first.name, settings, quiet).sha256 == first.sha256


def test_two_backups_at_once_come_one_after_the_other(make, settings):
    both = [threading.Thread(target=make) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(backup.listing(settings)) == 2


def test_a_checksum_whose_backup_never_came_is_removed_and_nothing_that_is_not_ours(make, folder):
    folder.mkdir()
    for name in ("app-20200101T000000Z.db.zst.sha256", "other-20200101T000000Z.db.zst.sha256", "notes.txt", ".app-x"):
        (folder / name).touch()
    made = make()
    assert names(folder) == sorted(
        [".app-x", made.name, f"{made.name}.sha256", "notes.txt", "other-20200101T000000Z.db.zst.sha256"]
    )


def test_too_little_room_is_seen_before(make, settings, folder):
    first = make()
    with pytest.raises(backup.BackupError, match=r"needs 0\.\d MB and .* 0\.0 MB left.*backups are unchanged"):
        make(free_bytes=lambda folder: 1000)
    assert names(folder) == [first.name, f"{first.name}.sha256"]
    assert "left" in db.read(backup.failed)["backup"]["why"]
    make()
    assert db.read(backup.failed) == {}


def test_a_full_disk_is_said_and_the_earlier_backups_stand(settings, path, small_disk):
    plenty = {"to": str(small_disk), "report": quiet, "free_bytes": lambda folder: 10**12}
    first = backup.make(settings, **plenty)
    fill(path, rows=400)
    with pytest.raises(
        backup.BackupError, match=r"The disk is too full: free some .*The earlier backups are unchanged"
    ):
        backup.make(settings, **plenty)
    assert names(small_disk) == [first.name, f"{first.name}.sha256"]
    assert backup.verify(str(small_disk / first.name), settings, quiet).sha256 == first.sha256


@pytest.mark.long
def test_a_file_that_may_not_grow_is_said_too(path, folder):
    fill(path)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\nimport sys\n"
        "from chassis.db import backup, db\nfrom chassis.settings import Settings\n"
        "settings = Settings(app_env='test', database_url='sqlite:///' + sys.argv[1])\ndb.open(settings)\n"
        "try:\n    backup.make(settings, report=print)\nexcept backup.BackupError as error:\n"
        "    sys.exit(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, env=CLEAN, capture_output=True, text=True)
    assert done.returncode == 1
    assert "The earlier backups are unchanged" in done.stderr
    assert names(folder) == []


def test_no_backup_is_made_of_a_damaged_database(make, path, folder):
    fill(path)
    make()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)
    with pytest.raises(backup.BackupError, match="The database is damaged"):
        make()
    assert len(names(folder)) == 2


def test_a_missing_database_is_said(settings, path):
    path.unlink()
    with pytest.raises(backup.BackupError, match="There is no database at"):
        backup.make(settings, report=quiet)
    assert not path.exists()


def put(folder, days, *, stem="app"):
    """Put what looks like a backup of so many days ago there."""
    folder.mkdir(exist_ok=True)
    name = name_at(stem, time.time() - days * DAY, "db.zst")
    for one in (name, f"{name}.sha256"):
        (folder / one).write_text("x")
    return name


def test_old_backups_go_but_the_newest_some_and_the_newest_proven_one(settings, folder):
    kept = [put(folder, days) for days in (1, 5, 8)]
    proven = put(folder, 9)
    old = [put(folder, days) for days in (10, 40)]
    others = [put(folder, 40, stem="other"), put(folder, 40, stem="app-2")]
    (folder / "app-20200101T000000Z.db.zst.txt").touch()
    for name in (proven, old[0]):
        memory.remember_proof(settings, name, made_at(name, "app"), "0")
    assert backup.prune(settings) == old
    assert {name for name in names(folder) if name.endswith(".zst")} == {*kept, proven, *others}
    assert "app-20200101T000000Z.db.zst.txt" in names(folder)
    assert not (folder / f"{old[0]}.sha256").exists()


def test_so_many_of_the_newest_stay_whatever_their_age(settings, folder):
    old = [put(folder, days) for days in (50, 60, 70, 80)]
    assert backup.prune(settings.model_copy(update={"backup_keep_count": 2})) == old[2:]


def repack(folder, name, body):
    """Put another database into a backup, with the right checksum."""
    import hashlib

    packed = zstd.compress(body)
    (folder / name).write_bytes(packed)
    (folder / f"{name}.sha256").write_text(f"{hashlib.sha256(packed).hexdigest()}  {name}\n")


def one_byte(folder, name, tmp_path):
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(body)


def cut(folder, name, tmp_path):
    body = (folder / name).read_bytes()
    (folder / name).write_bytes(body[: len(body) // 2])
    (folder / f"{name}.sha256").unlink()


def page(folder, name, tmp_path):
    body = zstd.decompress((folder / name).read_bytes())
    repack(folder, name, body[:8192] + b"\xff" * 8192 + body[16384:])


def orphan(folder, name, tmp_path):
    changed = unpacked(folder, name, tmp_path / "changed.db")
    with closing(sqlite3.connect(changed)) as connection:
        connection.execute("CREATE TABLE mine (job TEXT REFERENCES jobs (id))")
        connection.execute("INSERT INTO mine VALUES ('none')")
        connection.commit()
    repack(folder, name, changed.read_bytes())


def newer(folder, name, tmp_path):
    changed = unpacked(folder, name, tmp_path / "changed.db")
    with closing(sqlite3.connect(changed)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    repack(folder, name, changed.read_bytes())


def foreign(folder, name, tmp_path):
    changed = tmp_path / "changed.db"
    with closing(sqlite3.connect(changed)) as connection:
        connection.execute("CREATE TABLE words (word TEXT)")
    repack(folder, name, changed.read_bytes())


BAD = {
    "a byte is wrong": (one_byte, "has the SHA-256 .*, expected .*|zstd file at .* is damaged"),
    "its end is missing": (cut, "zstd file at .* is damaged"),
    "a page is wrong": (page, r"is damaged \("),
    "a row refers to nothing": (orphan, "refers to a missing row of jobs"),
    "it is newer than the code": (newer, "newer than this code"),
    "it is of something else": (foreign, "does not belong to this service"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_backup_is_refused_and_the_database_stands(make, settings, path, folder, tmp_path, case):
    spoil, sentence = BAD[case]
    made = make()
    spoil(folder, made.name, tmp_path)
    with pytest.raises(AppError, match=sentence):
        backup.verify(made.name, settings, quiet)
    assert "drill" in db.read(backup.failed)
    before = row_counts(path)
    with pytest.raises(AppError, match=sentence):
        backup.restore(made.name, settings, quiet, lambda question: True)
    assert row_counts(path) == before
    assert not list(path.parent.glob("app-*.db"))
    assert not [name for name in names(folder) + names(path.parent) if "verify" in name or "download" in name]


@pytest.fixture
def cli(settings):
    """Type a command of `flask db`."""
    app = Flask("small")
    wire(app, settings)

    def run(*arguments, answer=None):
        with app.app_context():
            done = app.test_cli_runner().invoke(database.group, arguments, input=answer)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_a_restore_keeps_the_old_database_and_says_how_to_go_back(make, cli, path):
    make()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE later (n INTEGER)")
    status, said = cli("restore", "latest", answer="n\n")
    assert (status, "Nothing was changed." in said) == (1, True)
    assert "later" in row_counts(path)
    status, said = cli("restore", "latest", answer="y\n")
    assert (status, "later" in row_counts(path)) == (0, False)
    *_, flask, group, command, kept, yes = said.split()
    assert (flask, group, Path(kept).parent, yes) == ("flask", "db", path.parent, "--yes")
    assert cli(command, kept, yes)[0] == 0
    assert "later" in row_counts(path)


def test_the_commands_say_what_was_done_and_what_there_is(cli, settings, folder):
    assert cli("backups") == (0, "There are no backups.\n")
    old = [put(folder, days) for days in (20, 30, 40)]
    status, said = cli("backup")
    assert status == 0
    made = re.search(rf"made .*/backups/({SAID}), 0\.\d MB of 0\.\d MB, in \d", said)[1]
    assert f"removed {old[-1]}" in said
    assert re.search(rf"{made} +0\.0 MB +0\.0 h old  not verified\n{old[0]}", cli("backups")[1])
    assert re.search(rf"1  security_version\n(.*\n)*{made} is valid, SHA-256 [0-9a-f]{{64}}\n$", cli("verify")[1])
    assert re.search(rf"{made} .*  verified 20", cli("backups")[1])
    assert cli("verify", old[0])[0] == 1


def test_a_lost_database_is_restored_and_the_origin_of_a_present_one_stays_known(make, settings, path, tmp_path):
    make()
    db.close()
    path.unlink()
    for end in ("-wal", "-shm"):
        path.with_name(f"app.db{end}").unlink(missing_ok=True)
    assert backup.restore("latest", settings, quiet, lambda question: True).kept is None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE snapshot_installed (sha256 TEXT, installed_at TEXT, size_bytes INTEGER)")
        connection.execute("INSERT INTO snapshot_installed VALUES ('abc', '2026-01-01T00:00:00+00:00', 1)")
        connection.commit()
    backup.restore("latest", settings, quiet, lambda question: True)
    assert [row[0] for row in rows(path, "snapshot_installed")] == ["abc"]


@pytest.mark.parametrize("where", ["a page", "the header"])
def test_a_damaged_database_is_replaced_or_named(make, settings, path, where):
    fill(path)
    make()
    db.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 if where == "a page" else 0)
        file.write(b"\xff" * 8192)
    db.open(settings)
    if where == "a page":
        kept = backup.restore("latest", settings, quiet, lambda question: True).kept
        assert copy.problem_of(path, "integrity_check") is None
        assert copy.problem_of(Path(kept), "integrity_check")
    else:
        with pytest.raises(backup.BackupError, match=r"app\.db cannot be read .*: move it away"):
            backup.restore("latest", settings, quiet, lambda question: True)


def test_a_dump_of_postgresql_is_none_of_sqlite(settings, folder):
    put(folder, 1)
    (folder / "app-20260101T000000Z.dump").write_text("PGDMP")
    with pytest.raises(backup.BackupError, match=r"app-20260101T000000Z\.dump is a dump of PostgreSQL"):
        backup.verify("app-20260101T000000Z.dump", settings, quiet)


@pytest.mark.parametrize("wanted", ["latest", "app-20200101T000000Z.db.zst", "/nowhere/at/all.db"])
def test_what_is_not_there_is_said(settings, wanted):
    with pytest.raises(backup.BackupError, match=r"no file or backup .* there are none"):
        backup.verify(wanted, settings, quiet)
    assert db.read(backup.failed) == {}


def test_a_copy_on_this_machine_may_lack_its_checksum_and_that_is_said(make, settings, folder, tmp_path):
    made = make()
    shutil.copy(folder / made.name, tmp_path / "copy.zst")
    said = []
    assert backup.verify(str(tmp_path / "copy.zst"), settings, said.append).sha256 == made.sha256
    assert "there is no copy.zst.sha256: without a checksum only the content is checked" in said


def test_an_empty_instance_starts_from_a_backup_as_it_is(make, folder, tmp_path):
    made, other = make(), tmp_path / "other/app.db"
    url = (folder / made.name).as_uri()
    boot.boot(Settings(app_env="test", database_url=f"sqlite:///{other}", database_snapshot_url=url))
    assert rows(other, "snapshot_installed")[0][0] == made.sha256
    assert row_counts(other)["security_version"] == 1


def test_progress_is_told(make):
    make()
    assert [line.partition(":")[0] for line in make.said] == ["copied", "packed"]
