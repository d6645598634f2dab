"""A backup without room is refused or given up, and the earlier ones stand."""

import subprocess
import sys

import pytest

from chassis.db import backup, db
from chassis.tests.db.backup.files import fill, names, quiet
from chassis.tests.servers import CLEAN, ROOT


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
