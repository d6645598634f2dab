"""`make test-postgres` finds its tests by what they use; one that is on SQLite all the same fails."""

from types import SimpleNamespace

import pytest

from chassis.db import Database
from chassis.settings import Settings
from chassis.tests import servers
from chassis.tests.conftest import serving
from chassis.tests.servers import new_database
from chassis.tests.suite.database import verdict, without_sqlite

CASES = {"one": "PRAGMA integrity_check"}
NO_DATABASE, ABOUT_SQLITE = "use no database", "are about SQLite"


def alone():
    return 1


def direct(tmp_path):
    new_database(tmp_path)


def by_module(tmp_path):
    servers.new_database(tmp_path)


def by_helper(tmp_path):
    direct(tmp_path)


def by_case(tmp_path):
    direct(CASES["one"])


def file(tmp_path):
    return direct(tmp_path) / "app.db"


def over_helper(tmp_path):
    file(tmp_path)


class Helper:
    def use(self, tmp_path):
        direct(tmp_path)


def by_class(tmp_path):
    Helper().use(tmp_path)


def with_server(serve):
    serve()


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
    return SimpleNamespace(obj=function, _fixtureinfo=SimpleNamespace(name2fixturedefs=found))


@pytest.mark.parametrize("function", CHOICES)
def test_a_test_is_chosen_by_what_it_and_its_helpers_name(function):
    assert verdict(item(function)) == CHOICES[function]


def test_fixtures_count_too():
    assert verdict(item(with_server, serve=serving)) is None
    assert verdict(item(alone, database=direct)) is None
    assert verdict(item(with_server, database=file)) == ABOUT_SQLITE


def test_one_that_opens_a_file_all_the_same_fails(tmp_path):
    one = Database()
    with pytest.raises(AssertionError, match="chosen for PostgreSQL and opened"), without_sqlite():
        one.open(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/a.db"))
    one.close()
