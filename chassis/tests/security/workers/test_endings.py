"""Two workers behind one Redis are one service: what was used up, written or ended at the one is so at the other."""

import itertools
import re
import time

import pyotp
import pytest

from chassis.tests.chosen import at_once, workers_of
from chassis.tests.patience import wait_until
from chassis.tests.security.conftest import ask, flask
from chassis.tests.security.workers.people import (
    Browser,
    account,
    addresses,
    key,
    socket,
    sockets_on_both,
    spread,
    statuses,
)

pytestmark = pytest.mark.long


def test_a_code_and_a_recovery_code_pass_once(pair):
    email = account(pair, "coded@example.org")
    owner = Browser(pair, next(addresses)).sign_in(email)
    page = "/account/factors/authenticator"
    text = owner.ask(page).text
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', text)[1].replace(" ", "")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"', text))
    assert owner.post(page, hidden, code=pyotp.TOTP(secret).at(time.time() - 30)).status == 303
    recovery = re.findall(r"<code>([a-z2-7-]{19})</code>", owner.ask("/account/factors/codes").text)[0]
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
