"""A replica of PostgreSQL that stands still: what may lag is read from the primary, and from the replica afterwards."""

import json

import pytest

from chassis.tests import postgres
from chassis.tests.chosen import at_once
from chassis.tests.named import SLUG
from chassis.tests.patience import wait_until
from chassis.tests.servers import same_in_every_mode
from chassis.tests.services import psql

pytestmark = [pytest.mark.long, same_in_every_mode]
READS = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{SLUG}' AND query LIKE '%FROM jobs%'"
END = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{SLUG}'"


@pytest.fixture
def replica(own_postgres):
    """A replica of this test's server."""
    with postgres.running(of=own_postgres) as standby:
        yield standby


def detail(server):
    status, text = server.get("/readyz")
    assert status == 200
    return json.loads(text)["checks"].get("replica", {}).get("detail", "")


def reads_there(server, replica):
    assert server.get("/api/jobs")[0] == 200
    return psql(f"{replica.url}/postgres", READS) != "0"


def test_a_replica_that_hangs_is_left_until_it_answers(serve, own_postgres, replica):
    server = serve(DATABASE_URL=f"{own_postgres.url}/postgres", DATABASE_READ_URL=f"{replica.url}/postgres")
    wait_until(lambda: reads_there(server, replica))
    with replica.frozen():
        assert {status for status, _ in at_once(lambda _: server.get("/api/jobs"), range(20))} == {200}
        wait_until(lambda: '"replica_hangs"' in server.log)
        wait_until(lambda: "does not answer" in detail(server))
        assert server.metric("database_replica_refusals_total") > 0
        assert server.get("/api/jobs/none")[0] == 404
    wait_until(lambda: '"replica_answers_again"' in server.log and detail(server) == "")
    psql(f"{replica.url}/postgres", END)
    wait_until(lambda: reads_there(server, replica))
    assert server.log.count('"replica_hangs"') == server.log.count('"replica_answers_again"') == 1
    assert '"database_hangs"' not in server.log
