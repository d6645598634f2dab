"""An API that answers nobody: waited for up to a limit, told, and over with the first answer."""

import pytest

from chassis.tests.servers import free_port
from chassis.upstream import UpstreamError


def outcome(client, prompt):
    try:
        return client.complete(prompt).text
    except UpstreamError as error:
        return error.attempts


@pytest.mark.long
def test_calls_wait_for_an_api_that_is_out_and_fail_after_the_limit(client_for, in_threads) -> None:
    client = client_for(f"http://127.0.0.1:{free_port()}", upstream_max_retries=1, upstream_outage_seconds=1.5)
    attempts = list(in_threads.map(lambda number: outcome(client, f"{number}"), range(10)))
    assert max(attempts) > 2, "none was tried beyond its retries"
    assert "failed or was interrupted" in client.problem()
    assert outcome(client, "later") == 2, "an outage that lasts costs a call its retries and no more"


def test_without_patience_a_call_has_its_retries(client_for, in_threads) -> None:
    client = client_for(f"http://127.0.0.1:{free_port()}", upstream_max_retries=1, upstream_outage_seconds=0)
    assert set(in_threads.map(lambda number: outcome(client, f"{number}"), range(10))) == {2}


@pytest.mark.parametrize("answered", ["good", "[400]"])
def test_one_call_that_fails_is_no_outage_and_any_answer_ends_one(fake, client_for, answered) -> None:
    client = client_for(fake.url, upstream_max_retries=0, upstream_outage_seconds=0)
    for number in (1, 2):
        outcome(client, f"[500] {number}")
        assert client.problem() is None
    outcome(client, "[500] 3")
    assert client.state()["problem"] == client.problem()
    assert "failed (500)" in client.problem()
    outcome(client, answered)
    assert client.problem() is None
