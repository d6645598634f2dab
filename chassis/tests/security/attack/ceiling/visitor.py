"""Somebody who asks the application in this process, and learns from its answers."""

import itertools
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from flask import Flask

from chassis.tests.security.attack.ceiling.asked import Asked
from chassis.tests.security.attack.ceiling.routes import Attacker
from chassis.tests.security.attack.ceiling.tries import Try

HIDDEN = re.compile(r'name="(\w+)" value="([^"]+)"')
IDS = re.compile(r'"id": ?"(\w{32})"')
NUMBERS = itertools.count(1)
KEYS = ("X-Api-Key", "Authorization")
Headers = list[tuple[str, str]]


class Visitor:
    """A stranger, who has no credentials, or somebody with a key that may do all."""

    def __init__(self, app: Flask, asked: Asked, *, key: str, few: bool) -> None:
        self.app, self.asked, self.key, self.few = app, asked, key, few
        self.known: dict[str, str] = {}
        self.cookies: dict[str, str] = {}
        self.ids: list[str] = []
        self.broken: dict[str, str] = {}  # by row, what was answered with 500

    def ask(self, one: Try) -> tuple[int, Headers, bytes]:
        """Send a request, from an address of its own; return the answer."""
        started: list[Any] = []

        def start_response(status: str, headers: Headers, _error: object = None) -> Callable[[bytes], None]:
            started[:] = [int(status[:3]), headers]
            return lambda _data: None

        number = next(NUMBERS)
        address = f"127.{number >> 16 & 127}.{number >> 8 & 255}.{number & 255}"
        answer: Any = self.app.wsgi_app(self.asked.environ(one.environ(address)), start_response)
        try:
            body = b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        if started[0] == 500:
            self.broken[one.row] = one.name
        return started[0], started[1], body

    def learn(self, one: Try) -> None:
        """Ask, and keep what an attacker would: cookies, hidden fields, ids."""
        _, headers, body = self.ask(one)
        for name, value in headers:
            if name.lower() == "set-cookie":
                cookie, _, text = value.partition(";")[0].partition("=")
                self.cookies[cookie] = unquote(text)
        text = body.decode("utf-8", "replace")
        self.known |= dict(HIDDEN.findall(text))
        self.ids = list(dict.fromkeys([*self.ids, *IDS.findall(text)]))[-5:]

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What it shows with each request."""
        if self.key:
            return ((b"X-API-Key", self.key.encode()),)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return ((b"Cookie", cookies.encode()),) if cookies else ()

    def attacker(self) -> Attacker:
        """Return what it knows by now."""
        names = tuple(name for name in self.asked.headers if not (self.key and name in KEYS))
        return Attacker(self.headers, names, dict(self.known), tuple(self.ids), self.few)


def key() -> str:
    """Return the key of all scopes that this process was started with."""
    return os.environ["ADMIN_API_KEY"]
