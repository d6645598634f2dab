"""`make smoke` against the example: its batch shows whether what it asks answers."""

import pytest

from chassis.tests.deploy.test_smoke import NAMES, smoke, verdicts


@pytest.mark.long
def test_an_open_instance_is_well_but_for_a_batch_that_fails(serve):
    server = serve(OPENROUTER_API_KEY="k" * 20, UPSTREAM_BASE_URL="http://127.0.0.1:9", UPSTREAM_MAX_RETRIES="0")
    status, found = smoke(server.url)
    assert status != 0
    assert verdicts(found) == dict.fromkeys(NAMES, "ok") | {"batch": "FAIL"}
    assert "0 of 2 rows" in found["batch"][1]
