"""Sessions at the other door: a real server, a real socket with the cookie, and what ends it."""

import http.cookiejar
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import socketio

from chassis.parts.accounts import administration
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.tests.patience import LIMIT_SECONDS

NEW = "an otter under the bridge"


class Visitor:
    """A browser's requests, with its cookies."""

    def __init__(self, server):
        self.server, self.cookies = server, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(self, path, **fields):
        data = urllib.parse.urlencode(fields).encode() if fields else None
        headers = {"Accept": "text/html", "Origin": self.server.url}
        request = urllib.request.Request(self.server.url + path, data, headers)
        try:
            with self.opener.open(request, timeout=LIMIT_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def send(self, page, path, **fields):
        token = re.search(r'name="csrf_token" value="(\w+)"', self.ask(page)[1])[1]
        return self.ask(path, csrf_token=token, **fields)

    def sign_in(self, email=ADA, password=PASSWORD):
        assert self.send("/sign-in", "/sign-in", email=email, password=password)[0] in (200, 404)
        return self

    def change_password(self):
        """Change it, which ends all sessions, and back."""
        for old, new in ((PASSWORD, NEW), (NEW, PASSWORD)):
            fields = {"current": old, "password": new, "again": new}
            assert self.send("/account", "/account/password", **fields)[0] == 200

    def status(self):
        headers = {"Cookie": self.header()}
        return self.server.get("/api/jobs", headers)[0]

    def header(self):
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)

    def socket(self):
        client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
        client.ended = []
        client.on("disconnect", lambda *_: client.ended.append(time.monotonic()))
        client.connect(
            self.server.url, headers={"Cookie": self.header()}, transports=["websocket"], wait_timeout=LIMIT_SECONDS
        )
        return client


WAYS = {
    "sign-out": lambda ada, _: ada.send("/account", "/sign-out"),
    "everywhere": lambda ada, _: Visitor(ada.server).sign_in().send("/account", "/sign-out-everywhere"),
    "operator": lambda _, operator: operator(administration.sign_out, ADA),
    "disabled": lambda _, operator: operator(administration.disable, ADA),
    "role": lambda _, operator: operator(administration.set_role, ADA, "admin"),
    "password": lambda ada, _: Visitor(ada.server).sign_in().change_password(),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_takes_rights_away_ends_the_sockets_and_the_next_request(server, operator, wait_for, way):
    operator(administration.enable, ADA)
    ada, other = Visitor(server).sign_in(), Visitor(server).sign_in(ROOT_MAIL)
    mine, theirs = ada.socket(), other.socket()
    assert ada.status() == 200
    cookie = ada.header()
    WAYS[way](ada, operator)
    assert server.get("/api/jobs", {"Cookie": cookie})[0] == (200 if way == "role" else 401)
    wait_for(lambda: mine.ended, "the socket stayed open")
    assert theirs.connected
    assert other.status() == 200
    theirs.disconnect()


def test_a_disabled_account_has_no_socket_left_when_the_admin_is_answered(server, operator):
    operator(administration.enable, ADA)
    ada, root = Visitor(server).sign_in(), Visitor(server).sign_in(ROOT_MAIL)
    mine, ended = ada.socket(), server.log.count("socket_revoked")
    page = f"/admin/accounts/{operator(lambda user: user.id, ADA)}"
    status, text = root.send(page, f"{page}/disable", heir="")
    assert status == 200
    assert "ended with their sockets" in text
    assert server.log.count("socket_revoked") == ended + 1
    mine.disconnect()


def test_a_socket_without_a_good_cookie_is_refused_and_told_why(server):
    for cookie in ("", "account=made-up", "__Host-account=made-up"):
        client, told = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS), []
        client.on("connect_error", told.append)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(server.url, headers={"Cookie": cookie}, transports=["websocket"], wait_timeout=LIMIT_SECONDS)
        assert told[0]["data"]["code"] == "unauthorized"


def test_signing_in_does_not_hold_up_others(server):
    """Passwords are hashed in threads: while some wait for theirs, the server answers others."""
    answers = []

    def guess(number):
        fields = {"email": f"{number}@example.org", "password": "wrong"}
        answers.append(Visitor(server).send("/sign-in", "/sign-in", **fields)[0])

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    others = 0
    while any(thread.is_alive() for thread in threads):
        assert server.get("/livez")[0] == 200
        others += 1
    assert answers == [401] * 10
    assert others > 3
