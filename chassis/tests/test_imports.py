"""What may be imported where: the master of gunicorn stays clean."""

import subprocess
import sys

from chassis.tests.conftest import CLEAN, ROOT

MASTER = (
    "app, chassis.serving.gunicorn, chassis.features, chassis.base.environment, chassis.errors, "
    "chassis.observability.gunicorn_log, chassis.server.start, chassis.server.told, chassis.server.worker"
)


def loaded_after(statement):
    code = f"import sys\n{statement}\nprint(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=CLEAN, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_packages_that_the_master_imports_import_nothing():
    for package in ("app", "chassis.server"):
        assert not loaded_after(f"import {package}") & {"flask", "pydantic", "gunicorn", "structlog", "sqlalchemy"}


def test_the_master_loads_nothing_that_a_worker_patches():
    loaded = loaded_after(f"import {MASTER}; from chassis import features; features.load()")
    assert not loaded & {
        "flask",
        "sqlalchemy",
        "engineio",
        "socketio",
        "requests",
        "eventlet",
        "gevent",
        "prometheus_client",
    }
