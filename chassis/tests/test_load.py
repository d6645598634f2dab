"""`make load` drives a real server as the page does, and nothing fails."""

import json
import re
import secrets
import subprocess

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.documents import blocks
from chassis.tests.named import HAS_EXAMPLE
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.conftest import flask

INSTALLED = ("--no-print-directory", "-o", ".venv/installed-dev")
ROW = re.compile(r"^(?:GET|POST|SOCKET)\s+(\S.*?)\s+(\d+)\s+(\d+)\(", re.MULTILINE)


BATCH = "batch of 5, followed"
ASKED = {"/", "/api/jobs", "connect", "job:unsubscribe"}


def load(server, seconds: int, key: str = "") -> dict[str, tuple[int, int]]:
    """Run it as the document does, return how often each thing was asked, and failed."""
    make, *words = blocks("chassis/docs/performance.md", "Users of the page")[0].split()
    assert words == ["load", "URL=http://127.0.0.1:5000", "USERS=50", "SECONDS=30"]
    _, in_production = blocks("chassis/docs/operations.md", "Without limits")[0].splitlines()
    assert re.fullmatch(r"make load URL=\S+ USERS=50 SECONDS=60 KEY=ak_\.\.\.", in_production)
    command = [make, *INSTALLED, "load", f"URL={server.url}", "USERS=4", f"SECONDS={seconds}", f"KEY={key}"]
    options = {"cwd": ROOT, "env": CLEAN, "capture_output": True, "text": True, "timeout": LIMIT_SECONDS}
    done = subprocess.run(command, **options, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    counted = {name: (int(asked), int(failed)) for name, asked, failed in ROW.findall(said)}
    assert counted["connect"] == (4, 0), said
    assert not [name for name, (_, failed) in counted.items() if failed], said
    return counted


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_few_users_for_a_few_seconds_meet_no_failure(serve):
    """Users take turns by chance, and do less on a slow machine: they go on for longer until each thing was done."""
    server, counted = serve(), set()
    wanted = ASKED | ({BATCH} if HAS_EXAMPLE else set())
    for seconds in (6, 12, 24, 48):
        counted.update(load(server, seconds))
        if counted >= wanted:
            break
    assert counted >= wanted
    assert (BATCH in counted) == HAS_EXAMPLE


@pytest.mark.long
@pytest.mark.timeout(900)
def test_in_production_an_admins_key_lifts_the_limits_for_the_time(serve):
    admin = secrets.token_urlsafe(48)
    limits = {"RATE_LIMIT_DEFAULT": "2 per hour", "SOCKET_MAX_UNJOINED_PER_ADDRESS": "1", "QUOTA_JOBS": "1"}
    limits |= {"SOCKET_MAX_CONNECTIONS_PER_ADDRESS": "1", "SOCKET_EVENTS_PER_SECOND": "0.001"}
    keys = {"SECRET_KEY": secrets.token_urlsafe(48), "ADMIN_API_KEY": admin, "DEMO_PREDICTOR": "true"}
    server = serve(APP_ENV="production", **keys, **limits)
    load(server, 4, admin)
    made = json.loads(flask(server, "keys", "list", "--json"))
    assert [(key["without_limits"], key["state"]) for key in made] == [(True, "revoked")]
