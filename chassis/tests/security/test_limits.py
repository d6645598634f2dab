"""How often a principal may ask, at both doors; what it is told; and a Redis that dies and comes back."""

import itertools
import signal

import pytest
import socketio
from flask import Flask

from chassis.errors import SettingsError
from chassis.limits import limiter
from chassis.security import request_rates
from chassis.settings import Settings
from chassis.settings.loading import load_settings
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ask, flask, start_limits_app
from chassis.web import errors
from chassis.wiring import wire

KEYS = [f"client-{number}-of-the-tests-0123456789abc" for number in range(6)]
PROXIED = {"TRUSTED_PROXIES": "127.0.0.1"}  # so that each test comes from addresses of its own
addresses = (f"198.51.{high}.{low}" for high, low in itertools.product(range(100, 200), range(1, 250)))


@pytest.fixture
def open_server(limits_app):
    """A server for everybody, with limits for addresses."""
    events = {"SOCKET_EVENTS_PER_SECOND_PER_PRINCIPAL": "0.001", "SOCKET_EVENTS_BURST": "5"}
    return limits_app(RATE_LIMIT_DEFAULT="4 per hour", RATE_LIMIT_BURST="1000 per second", **events, **PROXIED)


@pytest.fixture
def guarded(limits_app):
    """A server that asks for keys, with limits for them and for guessing."""
    return limits_app(
        REQUIRE_CLIENT_API_KEY="true",
        CLIENT_API_KEYS=",".join(KEYS),
        RATE_LIMIT_DEFAULT="4 per hour",
        AUTH_FAILURE_LIMIT="3 per hour",
        **PROXIED,
    )


@pytest.fixture
def address():
    return next(addresses)


def statuses(server, path, count, **headers):
    return [ask(server, path, **headers).status for _ in range(count)]


def test_an_address_has_its_share_and_is_told_of_it(open_server, address):
    first = ask(open_server, "/api/where", X_Forwarded_For=address)
    assert first.headers["RateLimit-Limit"] == "4"
    assert first.headers["RateLimit-Remaining"] == "3"
    assert 0 < int(first.headers["RateLimit-Reset"]) <= 900
    assert statuses(open_server, "/api/jobs", 3, X_Forwarded_For=address) == [200] * 3
    refused = ask(open_server, "/api/where", X_Forwarded_For=address)
    assert refused.status == 429
    assert refused.json["error"]["code"] == "rate_limited"
    assert refused.json["error"]["request_id"] == refused.headers["X-Request-ID"]
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert "Too many requests" in ask(open_server, "/", X_Forwarded_For=address).text
    assert ask(open_server, "/api/where", X_Forwarded_For=next(addresses)).status == 200


def test_health_metrics_and_static_files_have_no_limit_and_cost_nothing(open_server, address):
    for path in ("/livez", "/readyz", "/healthz", "/static/app.css", "/api/free"):
        assert statuses(open_server, path, 8, X_Forwarded_For=address) == [200] * 8, path
    assert statuses(open_server, "/metrics", 8) == [200] * 8
    assert ask(open_server, "/api/where", X_Forwarded_For=address).headers["RateLimit-Remaining"] == "3"


def test_a_route_may_have_a_limit_of_its_own_which_is_counted_apart(open_server, address):
    assert statuses(open_server, "/api/dear", 3, X_Forwarded_For=address) == [200, 200, 429]
    assert statuses(open_server, "/api/where", 5, X_Forwarded_For=address) == [200] * 4 + [429]
    assert ask(open_server, "/api/dear", X_Forwarded_For=next(addresses)).status == 200


def test_unknown_pages_count_too(open_server, address):
    assert statuses(open_server, "/api/nothing", 5, X_Forwarded_For=address) == [404] * 4 + [429]


def test_an_ipv6_network_shares_and_a_forged_address_is_not_believed(open_server):
    answers = [ask(open_server, "/api/where", X_Forwarded_For=f"2001:db8::{n}").status for n in range(1, 6)]
    assert answers == [200] * 4 + [429]
    forged = [ask(open_server, "/api/where", source="127.0.0.9", X_Forwarded_For=next(addresses)) for _ in range(5)]
    assert [answer.status for answer in forged] == [200] * 4 + [429]


def test_a_key_is_counted_wherever_it_comes_from_and_no_other_key_with_it(guarded, address):
    one, other, shown = KEYS[0], KEYS[1], "X_API_Key"
    elsewhere = next(addresses)
    assert statuses(guarded, "/api/where", 2, X_Forwarded_For=address, **{shown: one}) == [200] * 2
    assert statuses(guarded, "/api/where", 3, X_Forwarded_For=elsewhere, **{shown: one}) == [200, 200, 429]
    assert statuses(guarded, "/api/where", 2, X_Forwarded_For=address, **{shown: other}) == [200] * 2


def test_who_shows_no_key_is_counted_by_address(guarded, address):
    assert statuses(guarded, "/api/where", 5, X_Forwarded_For=address) == [401] * 4 + [429]


def test_guessing_is_slow_for_an_address_and_nobody_at_work_is_shut_out(guarded, address):
    at_work = {"X_Forwarded_For": address, "X_API_Key": KEYS[2]}
    assert ask(guarded, "/api/dear", **at_work).status == 200
    guesses = [ask(guarded, "/api/where", X_Forwarded_For=address, X_API_Key=f"guess {n}") for n in range(5)]
    assert [answer.status for answer in guesses] == [401] * 3 + [429] * 2
    assert guesses[4].json["error"]["code"] == "rate_limited"
    assert int(guesses[4].headers["Retry-After"]) > 0
    assert ask(guarded, "/api/dear", **at_work).status == 200
    right_but_new = {"X_Forwarded_For": address, "Authorization": f"Bearer {KEYS[3]}"}
    unheard = ask(guarded, "/api/free", **right_but_new)
    assert unheard.status == 429
    assert unheard.json["error"]["message"] == guesses[4].json["error"]["message"]
    assert ask(guarded, "/api/free", X_Forwarded_For=next(addresses), X_API_Key=KEYS[3]).status == 200
    assert ask(guarded, "/public", X_Forwarded_For=address, X_API_Key="wrong").status == 200


def connect(server, key, address):
    one = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    options = {"headers": {"X-Forwarded-For": address}, "auth": {"key": key}, "transports": ["websocket"]}
    one.connect(server.url, **options, wait_timeout=LIMIT_SECONDS)
    return one


def test_guessing_at_the_sockets_door_counts_with_the_others(guarded, address):
    for n in range(3):
        with pytest.raises(socketio.exceptions.ConnectionError):
            connect(guarded, f"wrong {n}", address)
    assert ask(guarded, "/api/free", X_Forwarded_For=address, X_API_Key="wrong").status == 429
    with pytest.raises(socketio.exceptions.ConnectionError, match="namespaces failed"):
        connect(guarded, KEYS[4], address)
    connect(guarded, KEYS[4], next(addresses)).disconnect()


def test_a_key_with_a_rate_of_its_own_has_it_at_both_doors_over_all_its_sockets(guarded, address):
    slow = flask(guarded, "keys", "create", "slow", "--rate", "0.001")
    clients = [connect(guarded, slow, address) for _ in range(3)]
    answers = [one.call("echo", 1) for one in clients]
    assert answers[0] == 1
    assert [answer["error"]["code"] for answer in answers[1:]] == ["rate_limited"] * 2
    assert ask(guarded, "/api/where", X_API_Key=slow).status == 429
    free = [connect(guarded, KEYS[5], next(addresses)) for _ in range(2)]
    assert [one.call("echo", n) for n in range(20) for one in free] == [n for n in range(20) for _ in free]
    for one in clients + free:
        one.disconnect()


def test_the_sockets_of_a_principal_share_a_budget_where_the_settings_give_one(open_server):
    clients = [connect(open_server, "", "203.0.113.50") for _ in range(3)]
    answers = [one.call("echo", 1) for one in clients * 3]
    assert answers[:5] == [1] * 5
    assert {answer["error"]["code"] for answer in answers[5:]} == {"rate_limited"}
    clients[0].disconnect()
    other = connect(open_server, "", "203.0.113.51")
    assert other.call("echo", 1) == 1
    for one in [*clients[1:], other]:
        one.disconnect()


@pytest.fixture
def small():
    """Return an application of three routes with limits, in this process."""

    def make(**settings):
        given = Settings(app_env="test", **settings)
        app = Flask("small", static_folder=None)
        wire(app, given)
        request_rates.install(app, given)
        errors.install(app)
        app.add_url_rule("/api/x", "x", lambda: "ok")
        return app.test_client()

    yield make
    request_rates.install(Flask("none"), Settings(app_env="test"))


def test_a_limiter_that_fails_fails_no_request(small, monkeypatch):
    client = small(rate_limit_default="1 per hour")

    def fail(*_args, **_options):
        raise RuntimeError("inside")

    monkeypatch.setattr(limiter, "take", fail)
    assert [client.get("/api/x").status_code for _ in range(3)] == [200] * 3


def test_without_limits_nothing_is_told(small):
    answer = small().get("/api/x")
    assert (answer.status_code, answer.headers.get("RateLimit-Limit")) == (200, None)


def test_the_defaults_are_for_production_and_for_who_asks_for_them(monkeypatch):
    assert [str(rate) for rate in Settings(app_env="production").request_rates] == ["600 per minute", "30 per second"]
    assert Settings(app_env="development").request_rates == ()
    assert Settings(app_env="production", rate_limit_default="", rate_limit_burst="").request_rates == ()
    assert [str(r) for r in Settings(rate_limit_default="5/minute, 1000 per day").request_rates] == [
        "5 per minute",
        "1000 per day",
    ]
    monkeypatch.setenv("RATE_LIMIT_DEFAULT", "many")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "'many', which is not a rate" in dict(raised.value.problems)["RATE_LIMIT_DEFAULT"]


@pytest.mark.long
def test_processes_share_in_redis_and_go_on_without_it_and_share_again(own_redis, tmp_path_factory):
    own_redis.start()
    env = {"RATE_LIMIT_DEFAULT": "4 per hour", "REDIS_URL": own_redis.url, **PROXIED}
    one, two = (start_limits_app(tmp_path_factory.mktemp("shared"), **env) for _ in range(2))
    try:
        shared, alone, later, again = (next(addresses) for _ in range(4))
        both = [ask(server, "/api/where", X_Forwarded_For=shared).status for server in (one, two) * 3]
        assert both == [200] * 4 + [429] * 2
        own_redis.process.send_signal(signal.SIGSTOP)  # it hangs, which is worse than an end
        apart = [ask(server, "/api/where", X_Forwarded_For=alone).status for server in (one, two) * 5]
        assert apart == [200] * 8 + [429] * 2
        own_redis.kill()
        gone = [ask(server, "/api/where", X_Forwarded_For=later).status for server in (one, two) * 5]
        assert gone == [200] * 8 + [429] * 2
        assert one.log.count("limits_not_shared") == two.log.count("limits_not_shared") == 1
        own_redis.start()
        for server in (one, two):
            wait_until(lambda server=server: ask(server, "/api/jobs") and "limits_shared_again" in server.log)
        both = [ask(server, "/api/where", X_Forwarded_For=again).status for server in (one, two) * 3]
        assert both == [200] * 4 + [429] * 2
        assert "limiter_failed" not in one.log + two.log
    finally:
        for server in (one, two):
            server.stop()
