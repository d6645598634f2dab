"""People with accounts, keys and sockets, who use both workers."""

import itertools
import re
import time
from urllib.parse import urlencode

import socketio

from chassis.tests.chosen import lines_of_all
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.conftest import ask, flask
from chassis.tests.security.workers.conftest import MANY

PASSWORD = "a heron stands in the reeds"
addresses = (f"198.51.100.{number}" for number in itertools.count(1))


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
