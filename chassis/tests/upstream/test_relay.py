"""Requests that are passed on to one of several APIs."""

import dataclasses
import ipaddress
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chassis.errors import NotFound, TooManyRequests, Unavailable
from chassis.tests.patience import LIMIT_SECONDS
from chassis.upstream import Asked, Cancelled, MemberSpec, Pool, Relay, RelayLimits, choose

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
GOOD = {"choices": [{"text": "hi"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
USAGE = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.set()
        self.server.go_on.wait(LIMIT_SECONDS)
        status, kind, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Retry-After", "²")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def api():
    """Return a function that starts an API with one answer and returns it as a member."""
    started = []

    def start(status=200, body=None, kind="application/json", name="one", weight=1, waits=False):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.asked, server.go_on = True, threading.Event(), threading.Event()
        if not waits:
            server.go_on.set()
        server.answer = (status, kind, body if isinstance(body, str) else json.dumps(body or GOOD))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        started.append(server)
        made = member(name, f"http://127.0.0.1:{server.server_address[1]}", weight=weight)
        made.server = server
        return made

    yield start
    for one in started:
        one.go_on.set()
        one.shutdown()
        one.server_close()


def member(name, url="http://127.0.0.1", **options):
    """Return a member whose breaker opens after one failure, for a minute."""
    pool = Pool(HERE, most_failures=1, cooldown_seconds=60, workers=1)
    pool.update([MemberSpec(name, name, url, **options)], {})
    return next(iter(pool))


def relay(*members, retries=2, hedge_seconds=0.0, cancelled=lambda: False, **options):
    """Return a function that asks one of the members, and what it told of breakers and of members that failed."""
    changed, failed = [], []
    limits = RelayLimits(
        seconds=60, idle_seconds=60, retries=retries, retry_share=1, wait_seconds=5,
        queue_seconds=0.2, queue_per_key=2, queue_most=4, hedge_seconds=hedge_seconds,
    )  # fmt: skip
    made = Relay(limits, lambda one: changed.append(one.name))
    asked = Asked("/x", b"{}", "key", lambda: list(members), cancelled, **options)
    return lambda: made.ask(asked, lambda one: failed.append(one.name)), changed, failed


def events(*data):
    return "".join(f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in data)


def test_the_least_busy_member_for_its_weight_is_chosen():
    small, large = (member(str(weight), weight=weight, most=2) for weight in (1, 4))
    assert [choose([small, large]).id for _ in range(3)] == ["4", "4", "1"]
    assert choose([small, large]) is small
    assert choose([small, large]) is None


def test_an_answer_in_one_piece_gives_the_member_back(api):
    one = api()
    answer = relay(one)[0]()
    assert (json.loads(answer.body), answer.streams, answer.usage.completion_tokens) == (GOOD, False, 2)
    assert one.in_flight == 0


@pytest.mark.parametrize(
    ("status", "body"), [(500, GOOD), (429, GOOD), (404, GOOD), (401, GOOD), (200, "<html>"), (200, {"error": "no"})]
)
def test_another_member_answers_when_one_fails(api, status, body):
    bad, good = api(status, body, name="bad", weight=9), api(name="good")
    ask, changed, failed = relay(bad, good)
    assert ask().member is good
    assert failed == ["bad"]
    assert changed == (["bad"] if status in (500, 401) or body == "<html>" else [])
    assert (bad.in_flight, good.in_flight) == (0, 0)


@pytest.mark.parametrize(("status", "error"), [(500, Unavailable), (429, TooManyRequests), (404, NotFound)])
def test_the_last_failure_is_told(api, status, error):
    with pytest.raises(error):
        relay(api(status), api(status, name="two"))[0]()


def test_what_the_client_did_wrong_is_passed_on_once(api):
    answer = relay(api(400, "no"))[0]()
    assert (answer.status, answer.body, answer.kind) == (400, b"no", "text/plain")


def test_without_members_or_a_client_nothing_is_asked(api):
    with pytest.raises(NotFound):
        relay()[0]()
    with pytest.raises(Cancelled):
        one = api()
        one.most = 0
        relay(one, cancelled=lambda: True)[0]()


def test_a_stream_hides_the_usage_that_the_client_did_not_ask_for(api):
    part = {"choices": [{"delta": {}}]}
    one = api(kind="text/event-stream", body=events(part, USAGE, "[DONE]"))
    answer = relay(one, hides_usage=True)[0]()
    assert one.in_flight == 1
    assert [json.loads(data) for data in answer.events(lambda: False)] == [part]
    assert (answer.usage.prompt_tokens, one.in_flight, one.breaker.state) == (1, 0, "closed")


@pytest.mark.parametrize("rest", [(), ({"error": {"message": "out of memory"}}, "[DONE]")])
def test_a_stream_that_breaks_is_never_a_success(api, rest):
    one = api(kind="text/event-stream", body=events({"choices": []}, *rest))
    answer = relay(one)[0]()
    with pytest.raises(Unavailable, match="in the middle"):
        list(answer.events(lambda: False))
    assert one.in_flight == 0


def test_a_stream_that_begins_with_an_error_goes_to_another_member(api):
    bad = api(kind="text/event-stream", body=events({"error": {"message": "no"}}), name="bad", weight=9)
    good = api()
    answer = relay(bad, good)[0]()
    assert answer.member is good


def test_ending_twice_gives_the_member_back_once(api):
    one = api(kind="text/event-stream", body=events({"choices": []}))
    answer = relay(one)[0]()
    told = []
    answer.on_end = told.append
    answer.end_unread()
    answer.end(failed=True)
    assert (one.in_flight, one.breaker.state, told) == (0, "closed", ["client_gone"])


def test_a_slow_member_is_hedged_by_another_and_its_call_ends(api, wait_for):
    slow, quick = api(name="slow", weight=9, waits=True), api(name="quick")
    ask, changed, failed = relay(slow, quick, hedge_seconds=0.05)
    assert ask().member is quick
    assert slow.server.asked.is_set()
    wait_for(lambda: (slow.in_flight, quick.in_flight) == (0, 0))
    assert (slow.breaker.state, changed, failed) == ("closed", [], [])


def test_a_quick_member_is_not_hedged(api):
    quick, other = api(name="quick", weight=9), api(name="other")
    assert relay(quick, other, hedge_seconds=LIMIT_SECONDS)[0]().member is quick
    assert not other.server.asked.is_set()


def test_a_hedged_call_fails_when_all_fail_and_is_told_once_for_each(api):
    slow, bad = api(500, name="slow", weight=9, waits=True), api(500, name="bad")
    ask, changed, failed = relay(slow, bad, hedge_seconds=0.05)
    threading.Thread(target=lambda: bad.server.asked.wait(LIMIT_SECONDS) and slow.server.go_on.set()).start()
    with pytest.raises(Unavailable):
        ask()
    assert sorted(changed) == ["bad", "slow"]
    assert len(failed) == 1
    assert (slow.in_flight, bad.in_flight) == (0, 0)


def test_hedges_count_as_retries_and_leave_what_others_wait_for(api, wait_for):
    slow, other = api(name="slow", weight=9, waits=True), api(name="other")
    ask = relay(slow, other, hedge_seconds=0.01, retries=0)[0]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask().member))
    thread.start()
    assert slow.server.asked.wait(LIMIT_SECONDS)
    slow.server.go_on.set()
    thread.join(LIMIT_SECONDS)
    assert answers == [slow]
    assert not other.server.asked.is_set()


def test_a_hedged_call_ends_when_its_client_goes(api, wait_for):
    slow, gone = api(waits=True), threading.Event()
    ask = relay(slow, hedge_seconds=0.01, cancelled=gone.is_set)[0]
    raised = []

    def run():
        with pytest.raises(Cancelled):
            ask()
        raised.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    assert slow.server.asked.wait(LIMIT_SECONDS)
    gone.set()
    thread.join(LIMIT_SECONDS)
    assert raised == [True]
    assert (slow.in_flight, slow.breaker.state) == (0, "closed")


def test_a_pool_follows_what_is_known_of_its_members():
    pool = Pool(HERE, most_failures=1, cooldown_seconds=60, workers=4)
    spec = MemberSpec("1", "one", "http://127.0.0.1/v1", "sk-key", ("small",), most=9)
    pool.update([spec, MemberSpec("2", "two", "http://127.0.0.1/v2", models=("large",), enabled=False)], {"1": 3})
    one, two = pool
    assert (pool.models(), pool.having("small"), pool.having("large")) == (["small"], [one], [])
    assert (one.most, pool.in_flight()) == (2, [(["one"], 3), (["two"], 0)])
    assert pool.up() == [(["one"], True), (["two"], False)]
    pool.update([dataclasses.replace(spec, models=("new",))], {})
    assert (one in pool, two in pool, pool.models()) == (True, False, ["new"])
    pool.update([dataclasses.replace(spec, key="sk-other")], {})
    assert one not in pool
    assert "sk-" not in repr(next(iter(pool)).spec)
