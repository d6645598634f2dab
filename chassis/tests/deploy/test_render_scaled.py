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
    "worker": {
        "type", "name", "runtime", "plan", "numInstances", "buildCommand", "startCommand", "autoDeployTrigger",
        "maxShutdownDelaySeconds", "envVars",
    },
    "keyvalue": {"type", "name", "plan", "ipAllowList", "maxmemoryPolicy"},
}  # fmt: skip
DATABASE = {"name", "plan", "postgresMajorVersion", "databaseName", "user", "ipAllowList"}


def blueprint():
    return YAML(typ="safe").load(PATH)


def services():
    return {service["type"]: service for service in blueprint()["services"]}


def variables(service="web"):
    return {variable["key"]: variable for variable in services()[service]["envVars"]}


def test_the_fields_are_those_that_render_knows():
    for kind, fields in FIELDS.items():
        assert set(services()[kind]) == fields
    (database,) = blueprint()["databases"]
    assert set(database) == DATABASE
    assert database["ipAllowList"] == services()["keyvalue"]["ipAllowList"] == []
    for variable in (*variables().values(), *variables("worker").values()):
        assert len({"value", "generateValue", "sync", "fromDatabase", "fromService"} & set(variable)) == 1, variable
        assert type(variable.get("value", "")) in (str, int), f"a YAML boolean fails: {variable}"
    for service in ("web", "worker"):
        assert {name.lower() for name in variables(service)} - {"python_version"} <= set(Settings.model_fields)


def test_the_instances_share_what_is_in_the_same_file():
    (database,), events = blueprint()["databases"], services()["keyvalue"]
    assert variables()["DATABASE_URL"]["fromDatabase"] == {"name": database["name"], "property": "connectionString"}
    shared = {"type": "keyvalue", "name": events["name"], "property": "connectionString"}
    assert variables()["REDIS_URL"]["fromService"] == shared
    assert services()["web"]["numInstances"] > 1
    assert variables()["SOCKET_TRANSPORTS"]["value"] == "websocket"
    assert "disk" not in services()["web"]


def test_the_worker_has_what_the_instances_have():
    web, worker = services()["web"], services()["worker"]
    assert worker["buildCommand"] == web["buildCommand"]
    assert worker["startCommand"] == "python -m chassis.serving.worker"
    assert Settings().jobs_grace_seconds + 5 <= worker["maxShutdownDelaySeconds"] <= 300
    for name, variable in variables("worker").items():
        if variable.get("fromService", {}).get("type") == "web":
            assert variable["fromService"] == {"type": "web", "name": web["name"], "envVarKey": name}
            assert name in variables()
        else:
            assert variable == variables()[name]
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= set(variables("worker"))


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
