"""Two workers behind one Redis are one service: what the one has counted, used up or ended is so at the other."""

import itertools
import re
import time
from pathlib import Path
from urllib.parse import urlencode

import pyotp
import pytest
import socketio

from chassis.tests.chosen import at_once, lines_of_all, workers_of
from chassis.tests.conftest import gunicorn
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ask, flask
from chassis.tests.services import redis_server

COMMAND = gunicorn(Path(__file__).parent, "workers_app:app")
RATE, GUESSES, QUOTA, FREE = 30, 10, 6, 5
MANY = 50  # requests at once
PASSWORD = "a heron stands in the reeds"
addresses = (f"198.51.100.{number}" for number in itertools.count(1))
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def redis_of_module(tool, tmp_path_factory):
    with redis_server(tool("redis-server"), tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def pair(shared_with, redis_of_module):
    """The service with two workers."""
    return shared_with(
        command=tuple(COMMAND),
        GUNICORN_WORKERS="2",
        REDIS_URL=redis_of_module,
        SOCKET_TRANSPORTS="websocket",
        REQUIRE_CLIENT_API_KEY="true",
        RATE_LIMIT_DEFAULT=f"{RATE} per hour",
        RATE_LIMIT_BURST="1000 per second",
        AUTH_FAILURE_LIMIT=f"{GUESSES} per hour",
        QUOTA_JOBS=str(QUOTA),
        TRUSTED_PROXIES="127.0.0.1",
        TEST_PASSKEYS="true",
    )


def together(pair, attempt):
    """Return what `attempt` gives while Redis answers: where a busy machine lets it wait, each worker counts alone."""
    while True:
        before = pair.log.count('"limits_')
        answers = attempt()
        if pair.log.count('"limits_') == before:
            return answers


def statuses(answers):
    return sorted(answer.status for answer in answers)


def key(pair, name, *options):
    return flask(pair, "keys", "create", name, *options).split()[0]


class Browser:
    """A person's browser at an address, with cookies."""

    def __init__(self, pair, address):
        self.pair, self.address, self.cookies, self.line = pair, address, {}, None

    def ask(self, path, method="GET", form=None):
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"X_Forwarded_For": self.address, "Accept": "text/html", "Cookie": jar, "Origin": self.pair.url}
        answer = ask(self.pair, path, method, form=form, line=self.line, **headers)
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def form(self, page):
        """Return what is hidden in a page's form."""
        return dict(re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"', self.ask(page).text))

    def post(self, path, hidden, **fields):
        return self.ask(path, "POST", urlencode({**hidden, **fields}))

    def sign_in(self, email):
        answer = self.post("/sign-in", self.form("/sign-in"), email=email, password=PASSWORD)
        assert answer.status == 303, answer.text
        return self

    def socket(self):
        return socket(self.pair, Cookie="; ".join(f"{name}={value}" for name, value in self.cookies.items()))


def socket(pair, auth=None, **headers):
    one = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    one.ended, one.heard = [], []
    one.on("disconnect", lambda *_: one.ended.append(time.time()))
    one.on("told", one.heard.append)
    headers = {"X-Forwarded-For": next(addresses), **headers}
    one.connect(pair.url, auth=auth, headers=headers, transports=["websocket"], wait_timeout=LIMIT_SECONDS)
    return one


def sockets_on_both(connect):
    """Return sockets of which each worker has some, as new sessions go to the one with the fewest."""
    sockets, seen = [], set()
    while len(seen) < 2:
        assert len(sockets) < MANY, "one worker takes them all"
        sockets.append(connect())
        seen.add(sockets[-1].call("worker"))
    return sockets


def spread(browsers):
    """Let half of the browsers send their next request to each worker."""
    for one, line in zip(browsers, lines_of_all(browsers[0].pair, len(browsers)), strict=True):
        one.line = line


def account(pair, email):
    flask(pair, "users", "create-admin", email, "--password-stdin", typed=PASSWORD)
    return email


def test_an_address_has_one_budget_at_both(pair):
    def attempt():
        address = next(addresses)
        return at_once(lambda line: ask(pair, "/sign-in", line=line, X_Forwarded_For=address), lines_of_all(pair, MANY))

    answers = together(pair, attempt)
    assert statuses(answers) == [200] * RATE + [429] * (MANY - RATE)
    assert len(workers_of(answers)) == 2


def test_a_key_has_one_budget_at_both(pair):
    def attempt():
        shown = key(pair, "busy")
        return at_once(lambda line: ask(pair, "/api/where", line=line, X_API_Key=shown), lines_of_all(pair, MANY))

    answers = together(pair, attempt)
    assert statuses(answers) == [200] * RATE + [429] * (MANY - RATE)
    assert len(workers_of(answers)) == 2


def test_who_guesses_keys_is_slow_at_both(pair):
    def attempt():
        one, number = {"X_Forwarded_For": next(addresses)}, itertools.count()
        return at_once(
            lambda line: ask(pair, "/api/where", line=line, X_API_Key=f"guess {next(number)}", **one),
            lines_of_all(pair, MANY),
        )

    answers = together(pair, attempt)
    assert statuses(answers) == [401] * GUESSES + [429] * (MANY - GUESSES)
    assert len(workers_of(answers)) == 2


def test_of_many_jobs_at_once_only_the_quota_passes(pair):
    shown = key(pair, "eager")
    lines = lines_of_all(pair, MANY)
    answers = at_once(lambda line: ask(pair, "/api/vigils", "POST", line=line, X_API_Key=shown), lines)
    assert statuses(answers) == [200] * QUOTA + [429] * (MANY - QUOTA)
    assert len(workers_of(answers)) == 2


def test_guesses_at_an_account_are_counted_together_and_each_is_one_line_of_the_chain(pair):
    email = account(pair, "locked@example.org")
    browsers = [Browser(pair, next(addresses)) for _ in range(3 * FREE)]
    forms = at_once(lambda one: one.form("/sign-in"), browsers)
    spread(browsers)
    answers = at_once(
        lambda both: both[0].post("/sign-in", both[1], email=email, password="wrong"),
        zip(browsers, forms, strict=True),
    )
    assert statuses(answers).count(401) < FREE + 1
    assert set(statuses(answers)) <= {401, 429}
    assert len(workers_of(answers)) == 2
    refused = at_once(lambda one: one.post("/sign-in", one.form("/sign-in"), email=email, password=PASSWORD), browsers)
    assert statuses(refused) == [429] * len(browsers)
    flask(pair, "audit", "verify")


def test_a_code_and_a_recovery_code_pass_once(pair):
    email = account(pair, "coded@example.org")
    owner = Browser(pair, next(addresses)).sign_in(email)
    page = "/account/factors/authenticator"
    text = owner.ask(page).text
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', text)[1].replace(" ", "")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"', text))
    shown = owner.post(page, hidden, code=pyotp.TOTP(secret).at(time.time() - 30))
    assert shown.status == 201
    recovery = re.findall(r"<code>([a-z2-7-]{19})</code>", shown.text)[0]
    for field, value in (("proof_code", pyotp.TOTP(secret).now()), ("proof_recovery", recovery)):
        thieves = [Browser(pair, next(addresses)).sign_in(email) for _ in range(4)]
        forms = at_once(lambda one: one.form("/second-factor"), thieves)
        spread(thieves)
        answers = at_once(
            lambda both, shown={field: value}: both[0].post("/second-factor", both[1], **shown),
            zip(thieves, forms, strict=True),
        )
        assert statuses(answers).count(303) == 1, (field, statuses(answers))
        assert [one.ask("/account").status for one in thieves].count(200) == 1


def test_the_chain_of_the_audit_log_stays_whole_when_both_write(pair):
    before = int(flask(pair, "audit", "head").partition(":")[0])
    browsers = [Browser(pair, next(addresses)) for _ in range(16)]
    forms = at_once(lambda one: one.form("/sign-in"), browsers)
    spread(browsers)
    answers = at_once(
        lambda three: three[1].post("/sign-in", three[2], email=f"{three[0]}@example.org", password="wrong"),
        zip(itertools.count(), browsers, forms, strict=False),
    )
    assert statuses(answers) == [401] * 16
    assert len(workers_of(answers)) == 2
    flask(pair, "audit", "verify")
    assert int(flask(pair, "audit", "head").partition(":")[0]) >= before + 16


def test_an_account_that_leaves_has_no_socket_left_at_either(pair):
    email = account(pair, "leaver@example.org")
    account(pair, "stays@example.org")
    leaver, stays = (Browser(pair, next(addresses)).sign_in(one) for one in (email, "stays@example.org"))
    ended, kept = sockets_on_both(leaver.socket), sockets_on_both(stays.socket)
    flask(pair, "users", "disable", email, "--yes")
    wait_until(lambda: all(one.ended for one in ended), "sockets stayed open")
    answers = at_once(lambda _: leaver.ask("/account"), range(8))
    assert 200 not in statuses(answers)
    assert all(one.connected for one in kept)
    for one in kept:
        one.disconnect()


def test_a_key_that_expires_or_is_revoked_has_no_socket_left_at_either(pair):
    for words in (("expire", "--in", "0s"), ("revoke",)):
        shown = key(pair, words[0])
        ended = sockets_on_both(lambda shown=shown: socket(pair, {"key": shown}))
        flask(pair, "keys", words[0], shown.split("_")[1], *words[1:])
        wait_until(lambda ended=ended: all(one.ended for one in ended), "sockets stayed open")
        assert statuses(at_once(lambda _, shown=shown: ask(pair, "/api/where", X_API_Key=shown), range(8)))[0] >= 401


def test_what_one_worker_tells_everybody_hears(pair):
    shown = key(pair, "told")
    sockets = sockets_on_both(lambda: socket(pair, {"key": shown}))
    sockets[0].emit("tell", "both")
    wait_until(lambda: all(one.heard == ["both"] for one in sockets), "one did not hear it")
    for one in sockets:
        one.disconnect()
