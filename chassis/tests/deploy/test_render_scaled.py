"""The Blueprint of several instances: fields that Render knows, and references that lead somewhere."""

from ruamel.yaml import YAML

from chassis.settings import Settings
from chassis.tests.conftest import ROOT
from chassis.tests.deploy.ours import needs

PATH = ROOT / "deploy/render/render.yaml"
pytestmark = needs("deploy/render/render.yaml")
# https://render.com/docs/blueprint-spec, those in use here
FIELDS = {
    "web": {
        "type", "name", "runtime", "plan", "numInstances", "buildCommand", "preDeployCommand", "startCommand",
        "healthCheckPath", "autoDeployTrigger", "maxShutdownDelaySeconds", "envVars",
    },
    "keyvalue": {"type", "name", "plan", "ipAllowList", "maxmemoryPolicy"},
}  # fmt: skip
DATABASE = {"name", "plan", "postgresMajorVersion", "databaseName", "user", "ipAllowList"}


def blueprint():
    return YAML(typ="safe").load(PATH)


def services():
    return {service["type"]: service for service in blueprint()["services"]}


def variables():
    return {variable["key"]: variable for variable in services()["web"]["envVars"]}


def test_the_fields_are_those_that_render_knows():
    for kind, fields in FIELDS.items():
        assert set(services()[kind]) == fields
    (database,) = blueprint()["databases"]
    assert set(database) == DATABASE
    assert database["ipAllowList"] == services()["keyvalue"]["ipAllowList"] == []
    for variable in variables().values():
        assert len({"value", "generateValue", "sync", "fromDatabase", "fromService"} & set(variable)) == 1, variable
        assert type(variable.get("value", "")) in (str, int), f"a YAML boolean fails: {variable}"
    assert {name.lower() for name in variables()} - {"python_version"} <= set(Settings.model_fields)


def test_the_instances_share_what_is_in_the_same_file():
    (database,), events = blueprint()["databases"], services()["keyvalue"]
    assert variables()["DATABASE_URL"]["fromDatabase"] == {"name": database["name"], "property": "connectionString"}
    shared = {"type": "keyvalue", "name": events["name"], "property": "connectionString"}
    assert variables()["REDIS_URL"]["fromService"] == shared
    assert services()["web"]["numInstances"] > 1
    assert variables()["SOCKET_TRANSPORTS"]["value"] == "websocket"
    assert "disk" not in services()["web"]


def test_the_migration_comes_before_the_code_and_render_waits_for_the_drain():
    web, settings = services()["web"], Settings()
    assert web["preDeployCommand"] == "python -m flask db upgrade"
    assert "requirements-scaled.txt" in web["buildCommand"]
    drain = settings.gunicorn_graceful_timeout_seconds + variables()["DRAIN_DELAY_SECONDS"]["value"]
    assert drain + 5 <= web["maxShutdownDelaySeconds"] <= 300


def test_the_drivers_are_locked():
    locked = (ROOT / "requirements-scaled.txt").read_text()
    for name in ("psycopg", "psycopg-binary", "redis", "boto3", "flask-socketio"):
        assert f"\n{name}==" in locked
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            assert line in locked, f"{line}: run make lock"
