"""The files of deploy/compose/production: sound, complete, and held tight."""

import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from chassis.settings import Settings
from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.production import FOLDER

SCRIPTS = ["backup.sh", "create.sh", "make_secrets.sh", "update.sh"]
pytestmark = needs("deploy/compose/production")


def services():
    return stack()["services"]


def stack():
    return YAML(typ="safe").load(FOLDER / "compose.yaml")


def test_the_file_fits_the_schema():
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    found = subprocess.run([*command, FOLDER / "compose.yaml"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_every_service_is_held_tight_and_its_log_ends():
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
        assert service["logging"]["options"]["max-size"]
        assert int(service["logging"]["options"]["max-file"]) >= 2
    assert {name for name, service in services().items() if "ports" in service} == {"proxy"}


def test_both_instances_wait_for_the_migration_and_have_time_to_drain():
    found, settings = services(), Settings()
    assert found["app-a"] == found["app-b"]
    assert found["app-a"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert found["migrate"]["command"] == ["python", "-m", "flask", "db", "upgrade"]
    drain = settings.gunicorn_graceful_timeout_seconds + settings.drain_delay_seconds
    assert float(found["app-a"]["stop_grace_period"][:-1]) > drain + 5


def test_settings_are_known_and_secrets_come_as_files_that_the_script_makes(tool, tmp_path):
    tool("openssl")
    environment, given = services()["app-a"]["environment"], stack()["secrets"]
    assert {name.removesuffix("_FILE").lower() for name in environment} <= set(Settings.model_fields)
    assert not [name for name in environment if name.endswith(("_KEY", "_URL")) and name != "PUBLIC_URL"]
    (tmp_path / "production").mkdir()
    for name in ("make_secrets.sh", "production/make_secrets.sh"):
        (tmp_path / name).write_bytes((FOLDER.parent / name).read_bytes())
        (tmp_path / name).chmod(0o755)
    for _ in range(2):
        subprocess.run([tmp_path / "production/make_secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    made = tmp_path / "secrets"
    for name, source in given.items():
        assert source == {"file": f"../secrets/{name}"}
        assert (made / name).stat().st_mode & 0o777 == 0o444
    password = (made / "database_password").read_text().strip()
    url = (made / "database_url").read_text().strip()
    assert url == f"postgresql://app:{password}@postgres/app"
    assert Settings(database_url=url).sqlite_path is None
    assert (made / "redis_password").read_text().strip() in (made / "redis_url").read_text()
    assert not list(made.glob("*.new"))


def test_every_file_that_is_mounted_is_there():
    mounts = [mount.split(":") for one in services().values() for mount in one.get("volumes", [])]
    files = [source for source, *_ in mounts if source.startswith("./")]
    assert len(files) == 5
    assert all((FOLDER / source).is_file() for source in files)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_sound_shell(tool, name):
    found = subprocess.run([tool("shellcheck"), FOLDER / name], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
