"""Old backups are removed but for the newest ones and the newest that was verified."""

from chassis.db import backup
from chassis.db.backup import memory
from chassis.db.backup.model import files_of, made_at
from chassis.tests.db.backup.files import names, put


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


def test_the_files_of_a_backup_go_with_it(settings, folder):
    young, old = put(folder, 1), put(folder, 40)
    for name in (young, old):
        (folder / files_of(name)).touch()
        (folder / f"{files_of(name)}.sha256").touch()
    assert backup.prune(settings.model_copy(update={"backup_keep_count": 1})) == [old]
    assert names(folder) == sorted(f"{name}{end}" for name in (young, files_of(young)) for end in ("", ".sha256"))
