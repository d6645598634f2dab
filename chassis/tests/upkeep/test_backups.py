"""The jobs `backup` and `backup_drill` in a real server, what they tell, and what is refused meanwhile."""

import pytest

from chassis import jobs
from chassis.boot import branches
from chassis.db import backup, db, schema
from chassis.settings import Settings
from chassis.tests.patience import wait_until
from chassis.upkeep import register

pytestmark = pytest.mark.long


@pytest.fixture
def settings(shared):
    return Settings(app_env="test", database_url=shared.env["DATABASE_URL"])


@pytest.fixture
def queue(settings):
    """Enqueue as the console does, and return the job when it has ended."""
    db.open(settings)
    schema.know(branches())
    register()

    def run(kind, **payload):
        made = jobs.enqueue(kind, payload)
        wait_until(lambda: jobs.get(made.id).state in ("succeeded", "failed"))
        return jobs.get(made.id)

    yield run
    db.close()


def test_a_running_service_backs_up_proves_and_refuses_to_be_replaced(shared, queue, settings):
    made = queue("backup")
    assert (made.state, made.done, made.error) == ("succeeded", 100, None), shared.log
    assert made.message.startswith("made ")
    backup.verify("latest", settings, [].append)
    listed = backup.listing(settings)[0]
    assert listed.proven_at
    assert 0 < shared.metric("app_backup_age_seconds") < 3600
    assert 0 < shared.metric("app_backup_proven_age_seconds") < 3600
    assert shared.metric("app_backup_size_bytes") == listed.size_bytes
    assert shared.metric("app_backup_failed") == 0
    with pytest.raises(backup.BackupError, match=r"app\.db is open in another process: stop that process"):
        backup.restore("latest", settings, [].append, lambda question: True)
    assert jobs.get(made.id) == made
    assert shared.get("/readyz")[0] == 200


def test_a_drill_that_fails_is_told(shared, queue, settings):
    name = queue("backup").message.split("/backups/")[1].partition(",")[0]
    proven = queue("backup_drill")
    assert proven.state == "succeeded", shared.log
    assert " is valid, SHA-256 " in proven.message
    (shared.folder / "backups" / name).write_bytes(b"\x28\xb5\x2f\xfd" + b"damaged" * 100)
    failed = queue("backup_drill", name=name)
    assert (failed.state, "is damaged" in failed.error) == ("failed", True)
    assert 'app_backup_failed{what="drill"} 1.0' in shared.get("/metrics")[1]
    assert shared.metric("app_backup_failures_total") == 1


def test_a_backup_that_is_cancelled_ends_with_its_process(shared, queue, settings):
    made = jobs.enqueue("backup", {})
    wait_until(lambda: jobs.get(made.id).state == "running")
    jobs.cancel(made.id)
    wait_until(lambda: jobs.get(made.id).state in ("cancelled", "succeeded"))
    assert queue("backup").state == "succeeded"
    hidden = [path.name for path in (shared.folder / "backups").iterdir() if path.name.startswith(".app-")]
    assert hidden == []
