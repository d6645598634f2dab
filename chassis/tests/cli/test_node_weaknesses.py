"""What `flask doctor` and a backup say where several nodes have folders of their own."""

import pytest

from chassis.cli.node_weaknesses import node_folders
from chassis.settings import Settings
from chassis.upkeep import places

SEVERAL = {"database_url": "postgresql://u@db.example/app", "redis_url": "redis://redis.example/0"}


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return a function that gives the names of what is found, in a project in a folder of its own."""
    monkeypatch.setattr(places, "BASE_DIR", tmp_path)
    return lambda **given: [weakness.name for weakness in node_folders(Settings(app_env="test", **given))]


def test_folders_of_one_node_are_named_where_several_share_postgresql_and_redis(found, tmp_path):
    assert found(**SEVERAL, backup_to=str(tmp_path / "backups"))[0] == "BACKUP_TO"


def test_nothing_is_said_of_one_node_a_bucket_or_backups_that_others_make(found, tmp_path):
    assert found(database_url="sqlite:///data/app.db", redis_url=SEVERAL["redis_url"]) == []
    assert found(database_url=SEVERAL["database_url"], redis_url="") == []
    for given in ({"backup_to": "s3://bucket/app"}, {"backup_schedule": "off"}):
        assert "BACKUP_TO" not in found(**SEVERAL, **given)


def test_a_folder_on_another_file_system_is_taken_for_shared(found, monkeypatch):
    monkeypatch.setattr(places, "BASE_DIR", places.Path("/proc"))
    assert found(**SEVERAL, backup_to="/") == []
