"""`make test-postgres` finds its tests by what they use; one that is on SQLite all the same fails."""

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from chassis.db import Database, db
from chassis.settings import Settings
from chassis.tests import servers
from chassis.tests.conftest import serving
from chassis.tests.servers import CLEAN, ROOT, new_database
from chassis.tests.suite.database import rooms_without_database, verdict, without_sqlite

CASES = {"one": "PRAGMA integrity_check"}
NO_DATABASE, ABOUT_SQLITE = "use no database", "are about SQLite"
STARTS, OUTSIDE, BROWSER = "start PostgreSQL in every run", "see the service only from outside", "drive a browser"


def alone():
    return 1


def direct(tmp_path):
    return db, new_database(tmp_path)


def by_module(tmp_path):
    return db, servers.new_database(tmp_path)


def by_helper(tmp_path):
    direct(tmp_path)


def by_case(tmp_path):
    direct(CASES["one"])


def file(tmp_path):
    return direct(tmp_path), "app.db"


def over_helper(tmp_path):
    file(tmp_path)


class Helper:
    def use(self, tmp_path):
        direct(tmp_path)


def by_class(tmp_path):
    Helper().use(tmp_path)


def with_server(serve):
    serve()


def with_server_and_rows(serve):
    return db.read, serve()


def postgres_server():
    """Stand for the fixture."""


def with_own_server(postgres_server, tmp_path):
    direct(tmp_path)


def on_page(page, tmp_path):
    direct(tmp_path)


CHOICES = {
    alone: NO_DATABASE,
    direct: None,
    by_module: None,
    by_helper: None,
    by_class: None,
    by_case: ABOUT_SQLITE,
    file: ABOUT_SQLITE,
    over_helper: ABOUT_SQLITE,
}


def item(function, **fixtures):
    found = {name: [SimpleNamespace(func=fixture)] for name, fixture in fixtures.items()}
    info = SimpleNamespace(name2fixturedefs=found)
    return SimpleNamespace(obj=function, _fixtureinfo=info, path=Path(__file__))


@pytest.mark.parametrize("function", CHOICES)
def test_a_test_is_chosen_by_what_it_and_its_helpers_name(function):
    assert verdict(item(function)) == CHOICES[function]


def test_fixtures_count_too():
    assert verdict(item(with_server_and_rows, serve=serving)) is None
    assert verdict(item(with_server, serve=serving)) == OUTSIDE
    assert verdict(item(alone, database=direct)) is None
    assert verdict(item(with_server, database=file)) == ABOUT_SQLITE
    assert verdict(item(with_own_server, postgres_server=postgres_server)) == STARTS
    assert verdict(item(on_page, page=alone)) == BROWSER


def test_a_feature_s_tests_stay_though_they_see_it_from_outside():
    one = item(with_server, serve=serving)
    one.path = ROOT / "app/features/one/tests/test_one.py"
    assert verdict(one) is None


def test_a_value_of_a_case_can_be_about_it_too():
    one = item(direct)
    one.callspec = SimpleNamespace(params={"url": ("sqlite:///x",)})
    assert verdict(one) == ABOUT_SQLITE


def test_rooms_that_cannot_import_the_database_are_those_of_the_contract():
    found = rooms_without_database()
    assert {"server", "limits", "base", "settings"} <= found
    assert not {"db", "jobs", "security", "realtime", "web", "upkeep"} & found


@pytest.mark.long
def test_each_room_that_asks_the_database_has_tests_on_postgresql():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", "not long"]
    env = {**CLEAN, "TEST_DATABASE": "postgres"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]
    chosen = {room_of(Path(line.partition(":")[0])) for line in done.stdout.splitlines() if ".py" in line}
    asking = {room_of(path.relative_to(ROOT)) for path in sources() if executes(path)}
    assert asking <= chosen, "what these store runs on SQLite alone"


def sources():
    """Return the files of the service and the chassis without tests and migrations."""
    found = [path for top in ("app", "chassis") for path in (ROOT / top).rglob("*.py")]
    return [path for path in found if not {"tests", "migrations", "versions"} & set(path.relative_to(ROOT).parts[:-1])]


def executes(path):
    """Return whether a file's code, rather than a text in it, executes a statement."""
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return any(ast.unparse(call) in ("conn.execute", "connection.execute") for call in calls)


def room_of(path):
    """Return the room, part or feature that a file is of, or whose test it is."""
    parts = [part for part in path.with_suffix("").parts if part != "tests"]
    if len(parts) < 2:  # of the service as a whole
        return ""
    if parts[1] in ("features", "parts"):
        return parts[2]
    return parts[1].removeprefix("test_")


def test_one_that_opens_a_file_all_the_same_fails(tmp_path):
    one = Database()
    with pytest.raises(AssertionError, match="chosen for PostgreSQL and opened"), without_sqlite():
        one.open(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/a.db"))
    one.close()
