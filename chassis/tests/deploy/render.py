"""What render.yaml says, and what Render adds to it."""

import secrets

from ruamel.yaml import YAML

from chassis.tests.conftest import ROOT
from chassis.tests.named import SLUG

(SERVICE,) = YAML(typ="safe").load(ROOT / "render.yaml")["services"]
VARIABLES = {variable["key"]: variable for variable in SERVICE["envVars"]}
# https://render.com/docs/environment-variables, "Default environment variables"
DEFAULTS = {
    "FORWARDED_ALLOW_IPS": "*",
    "GUNICORN_CMD_ARGS": "--preload --access-logfile - --bind=0.0.0.0:10000",
    "RENDER": "true",
    "RENDER_EXTERNAL_URL": f"https://{SLUG}.onrender.com",
    "WEB_CONCURRENCY": "1",
}


def environment(port: int, disk: str) -> dict[str, str]:
    """Return the variables of the service; `disk` is a folder in place of the mounted one."""
    given = {name: str(variable["value"]) for name, variable in VARIABLES.items() if "value" in variable}
    made = {name: secrets.token_urlsafe(32) for name, variable in VARIABLES.items() if variable.get("generateValue")}
    found = {**DEFAULTS, **given, **made, "PORT": str(port)}
    here = {SERVICE["disk"]["mountPath"]: disk, ":10000": f":{port}"}
    for theirs, ours in here.items():
        found = {name: value.replace(theirs, ours) for name, value in found.items()}
    return found
