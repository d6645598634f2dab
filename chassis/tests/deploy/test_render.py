"""The Blueprint for Render: its fields, and its start command with Render's own variables."""

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from chassis.base.service import current
from chassis.settings import Settings
from chassis.tests.conftest import ROOT, free_port
from chassis.tests.deploy.render import SERVICE, VARIABLES, environment

# https://render.com/docs/blueprint-spec, those of a web service that are in use here
FIELDS = {
    "type", "name", "runtime", "plan", "buildCommand", "startCommand", "healthCheckPath", "autoDeployTrigger",
    "maxShutdownDelaySeconds", "envVars", "disk",
}  # fmt: skip


def test_the_blueprint_has_fields_that_render_knows():
    assert set(SERVICE) == FIELDS
    assert (SERVICE["type"], SERVICE["runtime"]) == ("web", "python")
    assert SERVICE["autoDeployTrigger"] in ("commit", "checksPass", "off")
    assert SERVICE["healthCheckPath"] == "/healthz"
    for variable in SERVICE["envVars"]:
        ways = {"value", "generateValue", "sync"} & set(variable)
        assert len(ways) == 1, variable
        assert type(variable.get("value", "")) in (str, int), f"a YAML boolean or number fails: {variable}"


def test_secrets_are_made_or_asked_for():
    assert VARIABLES["SECRET_KEY"] == {"key": "SECRET_KEY", "generateValue": True}
    assert VARIABLES["OPENROUTER_API_KEY"] == {"key": "OPENROUTER_API_KEY", "sync": False}
    unknown = set(VARIABLES) - {"PYTHON_VERSION"} - {name.upper() for name in Settings.model_fields}
    assert not unknown


def test_the_data_is_on_the_disk_which_allows_one_instance():
    disk = SERVICE["disk"]
    assert set(disk) == {"name", "mountPath", "sizeGB"}
    assert VARIABLES["DATABASE_URL"]["value"].startswith(f"sqlite:///{disk['mountPath']}/")
    assert disk["mountPath"].startswith("/")


def test_the_worker_has_the_settings_of_the_service_and_no_disk():
    (worker,) = YAML(typ="safe").load(ROOT / "deploy/render/worker.yaml")["services"]
    assert set(worker) == FIELDS - {"healthCheckPath", "disk"} | {"numInstances"}
    assert (worker["type"], worker["startCommand"]) == ("worker", "python -m chassis.serving.worker")
    variables = {variable["key"]: variable for variable in worker["envVars"]}
    assert set(variables) <= set(VARIABLES)
    assert all(variables[name] == {"key": name, "sync": False} for name in ("DATABASE_URL", "SECRET_KEY"))
    assert variables["PYTHON_VERSION"] == VARIABLES["PYTHON_VERSION"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert f"'{extras['postgres'][0]}'" in worker["buildCommand"]


def test_render_waits_for_the_drain():
    settings = Settings()
    drain = settings.gunicorn_graceful_timeout_seconds + settings.drain_delay_seconds
    assert drain + 5 <= SERVICE["maxShutdownDelaySeconds"] <= 300


@pytest.mark.parametrize("command", [SERVICE["startCommand"], "gunicorn -c gunicorn_config.py wsgi:app"])
def test_the_start_command_serves_among_the_variables_of_render(serve, tmp_path, async_mode, command):
    env = environment(free_port(), str(tmp_path)) | {"ASYNC_MODE": async_mode}
    env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    server = serve(command=["bash", "-c", f"exec {command}"], **env)
    assert server.json("/healthz")["status"] == "ok"
    version = re.escape(current().version)
    assert server.json("/healthz")["version"] == current().version
    assert re.search(
        rf'^app_build_info{{.*version="{version}".*}} 1.0$',
        server.get("/metrics")[1],
        re.MULTILINE,
    )
    assert (tmp_path / "app.db").exists()
    assert server.stop(SERVICE["maxShutdownDelaySeconds"]) == 0
