"""The script that updates deploy/compose/production replaces one instance after the other."""

import subprocess

import pytest

from chassis.tests.conftest import CLEAN
from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.production import FOLDER

pytestmark = needs("deploy/compose/production")


@pytest.fixture
def update(tmp_path):
    """Return a function that runs update.sh with a stand-in for `docker compose`, and gives what it was asked."""
    told, stand_in = tmp_path / "told", tmp_path / "compose"

    def run_it(unready="none", **env):
        told.write_text("")
        stand_in.write_text(f'#!/bin/sh\nshift 2\necho "$*" >>{told}\n[ "$1 $3" != "exec {unready}" ]\n')
        stand_in.chmod(0o755)
        given = {**CLEAN, "COMPOSE": str(stand_in), "SEEN_SECONDS": "0", "READY_SECONDS": "0", **env}
        done = subprocess.run([FOLDER / "update.sh"], env=given, capture_output=True, text=True, check=False)
        return done.returncode, [line.partition(" python ")[0] for line in told.read_text().splitlines()]

    return run_it


FIRST = ["build app-a", "run --rm -T migrate", "up -d --no-deps --force-recreate app-a", "exec -T app-a"]
SECOND = ["up -d --no-deps --force-recreate app-b", "exec -T app-b"]


def test_an_update_migrates_once_and_replaces_an_instance_when_the_other_is_ready(update):
    assert update() == (0, [*FIRST, *SECOND])
    assert update(COMPOSE_PROFILES="monitoring,worker") == (0, [*FIRST, *SECOND, "up -d --no-deps worker"])


def test_an_update_leaves_the_second_instance_alone_when_the_first_is_not_ready(update):
    assert update(unready="app-a") == (1, FIRST)
