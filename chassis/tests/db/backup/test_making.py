"""A backup is one packed file of one moment, whole or not there."""

import re
import subprocess
import threading

import pytest

from chassis import boot
from chassis.db import backup
from chassis.db.backup.checks import row_counts
from chassis.db.backup.model import made_at
from chassis.settings import Settings
from chassis.tests.db.backup.files import SAID, fill, names, quiet, rows, unpacked


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


def test_an_empty_instance_starts_from_a_backup_as_it_is(make, folder, tmp_path):
    made, other = make(), tmp_path / "other/app.db"
    url = (folder / made.name).as_uri()
    boot.boot(Settings(app_env="test", database_url=f"sqlite:///{other}", database_snapshot_url=url))
    assert rows(other, "snapshot_installed")[0][0] == made.sha256
    assert row_counts(other)["security_version"] == 1


def test_progress_is_told(make):
    make()
    assert [line.partition(":")[0] for line in make.said] == ["copied", "packed"]
