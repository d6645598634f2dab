"""What all processes share by name."""

from chassis.db import Database, state
from chassis.settings import Settings
from chassis.tests.servers import new_database


def test_a_value_is_kept_and_replaced(tmp_path):
    database = Database()
    database.open(Settings(database_url=new_database(tmp_path)))
    assert database.read(lambda conn: state.get(conn, "brand")) is None
    for value in ({"name": "A"}, {"name": "B", "list": [1, None]}):
        database.write(lambda conn, value=value: state.put(conn, "brand", value))
        assert database.read(lambda conn: state.get(conn, "brand")) == value
    database.close()
