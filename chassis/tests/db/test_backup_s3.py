"""Backups in S3-compatible storage: a real server over HTTP, and what is said when it refuses."""

import subprocess
import sys
import urllib.request

import pytest

from chassis import boot
from chassis.base.times import DAY_SECONDS
from chassis.boot import branches
from chassis.db import backup, db, s3, schema
from chassis.db.backup import places
from chassis.db.backup.checks import row_counts
from chassis.db.backup.model import made_at, name_at
from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import CLEAN, free_port, new_database

pytest.importorskip("boto3")
KEYS = {"AWS_ACCESS_KEY_ID": "some", "AWS_SECRET_ACCESS_KEY": "thing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def storage():
    """The URL of an S3 server in a process of its own, with an empty bucket."""
    import boto3

    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", url.rpartition(":")[2]]
    with subprocess.Popen(
        command, env={**CLEAN, **KEYS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        wait_until(lambda: answers(url))
        made = boto3.client("s3", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b")
        made.create_bucket(Bucket="backups")
        yield url
        process.kill()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=LIMIT_SECONDS).status == 200
    except OSError:
        return False


@pytest.fixture
def credentials(monkeypatch, tmp_path):
    """Let boto3 know nothing but what the test says."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps the credentials that it found first
    s3.client.cache_clear()
    yield monkeypatch
    s3.client.cache_clear()


@pytest.fixture
def settings(tmp_path, credentials):
    credentials.setattr(places, "BASE_DIR", tmp_path)  # where a dump is made before it is sent
    made = Settings(app_env="test", database_url=new_database(tmp_path), backup_to=f"s3://backups/{tmp_path.name}/a")
    db.open(made)
    schema.know(branches())
    yield made
    db.close()


@pytest.fixture
def reachable(storage, credentials):
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": storage}.items():
        credentials.setenv(name, value)


def quiet(_line):
    """Report to nobody."""


def test_a_backup_goes_there_is_listed_proven_restored_and_seeds_another_instance(settings, reachable, tmp_path):
    said = []
    first = backup.make(settings, report=said.append)
    made = backup.make(settings, report=said.append)
    assert said[-1].startswith("uploaded: ")
    assert s3.sizes(settings.backup_to).keys() == {f"{one.name}{e}" for one in (first, made) for e in ("", ".sha256")}
    assert [(one.name, one.sha256) for one in backup.listing(settings)] == [
        (made.name, made.sha256),
        (first.name, first.sha256),
    ]
    assert not [path for path in (tmp_path / "backups").iterdir() if path.name != ".lock"]
    assert backup.verify("latest", settings, quiet).sha256 == made.sha256
    url = f"{settings.backup_to}/{first.name}"
    assert backup.verify(url, settings, quiet).sha256 == first.sha256
    before = row_counts(tmp_path / "app.db")
    restored = backup.restore(url, settings, quiet, lambda question: True)
    assert row_counts(tmp_path / "app.db") == {**before, "app_state": 0}
    assert restored.kept

    other = Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/other/app.db", database_snapshot_url=url)
    boot.boot(other)
    assert row_counts(tmp_path / "other/app.db")["security_version"] == 1


def test_old_ones_are_removed_there_and_nothing_else(settings, reachable, tmp_path):
    made = backup.make(settings, report=quiet)
    (tmp_path / "x").write_text("x")
    stem, ending = places.stem_of(settings), made.name.partition(".")[2]
    first = made_at(f"{stem}-20200101T000000Z.{ending}", stem)
    names = [name_at(stem, first + day * DAY_SECONDS, ending) for day in range(3)]
    for name in (*names, f"{names[0]}.sha256", "notes.txt", f"deeper/{names[0]}"):
        s3.upload(tmp_path / "x", f"{settings.backup_to}/{name}", lambda some: None)
    assert backup.prune(settings) == [names[0]]
    assert s3.sizes(settings.backup_to).keys() == {made.name, f"{made.name}.sha256", *names[1:], "notes.txt"}
    assert s3.sizes(f"{settings.backup_to}/deeper").keys() == {names[0]}


def test_a_large_file_goes_in_parts(settings, reachable, tmp_path, monkeypatch):
    monkeypatch.setattr(s3, "PART_BYTES", 5_242_880)
    (tmp_path / "large").write_bytes(b"x" * 12_000_000)
    told = []
    s3.upload(tmp_path / "large", f"{settings.backup_to}/large", told.append)
    assert s3.sizes(settings.backup_to) == {"large": 12_000_000}
    assert len(told) > 2
    assert sum(told) == 12_000_000


def refused(settings, match):
    with pytest.raises(s3.StorageError, match=match) as raised:
        backup.make(settings, report=quiet)
    assert "\n" not in raised.value.message
    assert "backup" in db.read(backup.failed)


def test_a_bucket_that_is_not_there_is_said(settings, reachable):
    refused(settings.model_copy(update={"backup_to": "s3://nowhere/a"}), "There is no bucket nowhere: create it")


def test_a_backup_that_is_not_there_is_said(settings, reachable):
    with pytest.raises(backup.BackupError, match="There is no checksum"):
        backup.verify("s3://backups/none.db.zst", settings, quiet)


def test_a_storage_that_refuses_is_said(settings, reachable, storage):
    def open_for(requests):
        body, plain = str(requests).encode(), {"Content-Type": "text/plain"}
        told = urllib.request.Request(f"{storage}/moto-api/reset-auth", data=body, headers=plain)
        urllib.request.urlopen(told, timeout=LIMIT_SECONDS).close()

    open_for(0)
    try:
        refused(settings, r"s3://backups refuses these credentials \(InvalidAccessKeyId\): check AWS_ACCESS_KEY_ID")
    finally:
        open_for(10**9)


def test_missing_credentials_are_said(settings, credentials, storage):
    credentials.setenv("AWS_ENDPOINT_URL", storage)
    refused(settings, "There are no credentials for s3://backups: set AWS_ACCESS_KEY_ID")


def test_a_storage_that_is_away_is_said(settings, reachable, credentials):
    credentials.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    credentials.setenv("AWS_MAX_ATTEMPTS", "1")
    refused(settings, r"cannot be used \(Could not connect.*: check AWS_ENDPOINT_URL")


def test_without_boto3_the_extra_is_named(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    refused(settings, "s3:// needs the package boto3: run `.venv/bin/pip install")
