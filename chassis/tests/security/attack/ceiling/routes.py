"""Every route of an application, and the worst requests that it can be sent."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from chassis.tests.security.attack.ceiling.tries import Try
from chassis.tests.security.attack.ceiling.values import json_texts, texts

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PART = re.compile(r"<(?:[^<>:]*:)?(\w+)>")
LENGTH = re.compile(r"<string\(length=(\d+)\):")
JSON, FORM, FILES = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
BOUNDARY = "b" * 70
LINE_BYTES, HEADER_BYTES, HEADERS = 3_900, 8_000, 7  # what gunicorn reads
A_FEW = 2  # tries of a kind, and up to twice as many
FOR_ALL = "of combining marks"
NOWHERE = "/nothing/is/<here>"  # any other path
PLAIN = "a{}.bcdef@example.org"  # what passes for an address, a name and a password; each is another account's
NUMBERS = itertools.count(1)
OTHER_KINDS = ("text/plain", "application/octet-stream", "")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # which no header may hold
ESCAPED = re.compile(rb"[&%+;=#]")


@dataclass(frozen=True)
class Route:
    """One method of one rule, with what is known of what it takes; `most` is its largest body by content type."""

    rule: str
    method: str
    most: dict[str, int]
    fields: tuple[str, ...] = ()
    json: dict[str, Any] = field(default_factory=dict)  # each field of a JSON body, with a value that is right

    @property
    def row(self) -> str:
        """How the table names it."""
        return f"{self.method} {self.rule}"


@dataclass(frozen=True)
class Attacker:
    """What whoever attacks knows: its headers, names of headers that count, values of fields, ids that are there."""

    headers: tuple[tuple[bytes, bytes], ...] = ()
    names: tuple[str, ...] = ()
    known: dict[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    few: bool = False

    def value(self, name: str) -> str:
        """Return what may stand in a field of that name."""
        return self.known.get(name) or PLAIN.format(next(NUMBERS))


def tries(route: Route, who: Attacker) -> Iterator[Try]:
    """Yield the worst requests for a route.

    When only a few are wanted: one for each field, and a few of each kind, others of each route.
    """
    yield from plain(route, who)
    kinds = (_paths, _queries, _headers, *((_json, _forms, _files, _others) if route.method != "GET" else ()))
    for kind in kinds:
        found = list(kind(route, who))
        step = max(len(found) // A_FEW, 1) if who.few else 1
        first = sum(route.row.encode()) % step
        yield from (one for number, one in enumerate(found) if number % step == first or one.name.endswith(FOR_ALL))


def plain(route: Route, who: Attacker) -> Iterator[Try]:
    """Yield requests with nothing wrong, one for each kind of content."""
    yield _made(route, who, "nothing wrong", query=_pairs(route, who))
    if route.method != "GET":
        yield _made(route, who, "JSON", body=json.dumps(route.json).encode(), kind=JSON)
        yield _made(route, who, "a form", body=_pairs(route, who), kind=FORM)
        yield _made(route, who, "parts", body=_parts(route, who), kind=f"{FILES}; boundary={BOUNDARY}")


def _made(
    route: Route,
    who: Attacker,
    name: str,
    *,
    path: bytes = b"",
    query: bytes = b"",
    body: bytes | None = None,
    kind: str = "",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Try:
    target = (path or _path(route, who)) + (b"?" + query if query else b"")
    content = ((b"Content-Type", kind.encode()),) if kind else ()
    return Try(route.row, name, route.method, target, (*who.headers, *content, *headers), body)


def _path(route: Route, who: Attacker) -> bytes:
    one = who.ids[-1] if who.ids else "a" * 32
    return PART.sub(lambda _part: one, route.rule).encode()


def _paths(route: Route, who: Attacker) -> Iterator[Try]:
    for part in PART.finditer(route.rule):
        length = LENGTH.match(part[0])
        before, after = _path_of(route, who, route.rule[: part.start()]), _path_of(route, who, route.rule[part.end() :])
        for name, text in texts(int(length[1]) if length else LINE_BYTES, few=who.few).items():
            most = 1_000 if length else LINE_BYTES - len(route.rule)
            yield _made(route, who, f"{part[1]} of {name}", path=before + _quoted(text, most) + after)


def _path_of(route: Route, who: Attacker, rule: str) -> bytes:
    return PART.sub(lambda _part: who.ids[-1] if who.ids else "a" * 32, rule).encode()


def _queries(route: Route, who: Attacker) -> Iterator[Try]:
    for name, part in {"names": b"a=1&", "nothing": b"&", "escapes": b"a=%41&"}.items():
        yield _made(route, who, f"a query of many {name}", query=part * (LINE_BYTES // len(part) - 20))
    for one in route.fields:
        yield _made(route, who, f"{one} again and again", query=f"{one}=1&".encode() * (3_500 // (len(one) + 3)))
        for name, text in texts(LINE_BYTES, few=who.few).items():
            yield _made(route, who, f"{one} of {name}", query=one.encode() + b"=" + _quoted(text, 3_500))


def _quoted(text: bytes, most: int) -> bytes:
    """Return a text as URLs have it, up to so many bytes."""
    return re.sub(r"%.?$", "", quote(text, safe="")[:most]).encode()


def _headers(route: Route, who: Attacker) -> Iterator[Try]:
    together = len(who.names) if who.few else HEADERS
    for name, text in texts(HEADERS * HEADER_BYTES // together, few=who.few).items():
        value = text.strip(b" \t")
        for first in range(0, 0 if CONTROL.search(text) else len(who.names), together):
            some = tuple((header.encode(), value) for header in who.names[first : first + together])
            yield _made(route, who, f"{who.names[first]} and so on of {name}", headers=some)
    if not who.few:
        yield _made(route, who, "ninety headers", headers=tuple((b"X-%d" % one, b"a" * 80) for one in range(90)))
    cookies = "; ".join(f"{number:x}=1" for number in range(900)).encode()
    yield _made(route, who, "many cookies", headers=((b"Cookie", cookies),))
    again = b"session=a.b.c; account=1; csrf=1;" * 200
    yield _made(route, who, "one cookie again and again", headers=((b"Cookie", again),))


def _most(route: Route, kind: str) -> int:
    return route.most.get(kind, route.most[""])


def _json(route: Route, who: Attacker) -> Iterator[Try]:
    most = _most(route, JSON)
    for name, text in json_texts(most - 200, few=who.few).items():
        yield _made(route, who, f"JSON that is {name}", body=text[:most], kind=JSON)
    for one in route.json:
        others = {key: value for key, value in route.json.items() if key != one}
        start = json.dumps({**others, one: 0})[:-2].encode()
        for name, text in json_texts(most - len(start) - 200, few=who.few).items():
            yield _made(route, who, f"{one} of {name}", body=start + text + b"}", kind=JSON)


def _pairs(route: Route, who: Attacker, without: str = "") -> bytes:
    pairs = [f"{name}={quote(who.value(name))}" for name in route.fields if name != without]
    return "&".join(pairs).encode()


def _forms(route: Route, who: Attacker) -> Iterator[Try]:
    most, whole = _most(route, FORM), _pairs(route, who)
    for part in (b"a=1&", b"&", b"%41", b"=", b"%"):
        body = whole + b"&" + part * ((most - len(whole) - 1) // len(part))
        yield _made(route, who, f"a form of many {part.decode()}", body=body, kind=FORM)
    yield _made(route, who, "a form of 90 names", body=whole + b"&" + b"&".join([b"a=" + b"%41" * 200] * 90), kind=FORM)
    for one in route.fields:
        others = _pairs(route, who, without=one)
        for name, text in texts(most - len(others) - 200, few=who.few).items():
            safe = ESCAPED.sub(lambda found: b"%%%02X" % found[0][0], text)
            body = others + b"&" + one.encode() + b"=" + safe
            yield _made(route, who, f"{one} of {name}", body=body[:most], kind=FORM)


def _part(name: str, value: bytes, extra: bytes = b"") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
    return head + extra + b"\r\n\r\n" + value + b"\r\n"


def _parts(route: Route, who: Attacker, without: str = "") -> bytes:
    named = [_part(name, who.value(name).encode()) for name in route.fields if name != without]
    return b"".join(named) + f"--{BOUNDARY}--\r\n".encode()


def _files(route: Route, who: Attacker) -> Iterator[Try]:
    most, kind, end = _most(route, FILES), f"{FILES}; boundary={BOUNDARY}", f"--{BOUNDARY}--\r\n".encode()
    whole = _parts(route, who).removesuffix(end)
    left = most - len(whole) - len(end) - 300
    odd = {
        "many parts": _part("a", b"1") * (left // len(_part("a", b"1"))),
        "90 parts": _part("a", b"1") * 90,
        "90 files": _part("a", b"1", b'; filename="a"') * 90,
        "a long head": _part("a", b"1", b"; x" * (left // 3)),
        "many heads": _part("a", b"1", b"\r\nX-A: 1" * (left // 8)),
        "a long name": _part("a" * left, b"1"),
        "a name of escapes": _part("a", b"1", b'; filename="' + b'\\"' * (left // 2) + b'"'),
        "pieces of a name": _part(
            "a", b"1", b"".join(b"; filename*%d*=a%%41" % number for number in range(left // 22))
        ),
        "boundaries": _part("a", f"\r\n--{BOUNDARY[:-1]}".encode() * (left // 75)),
        "line ends": _part("a", b"\r\n" * (left // 2)),
        "carriage returns": _part("a", b"\r" * left),
        "no boundary": b"a" * left,
    }
    for name, body in odd.items():
        yield _made(route, who, f"parts: {name}", body=(whole + body + end)[:most], kind=kind)
    for one in route.fields:
        others = _parts(route, who, without=one).removesuffix(end)
        for name, text in texts(most - len(others) - len(end) - 300, few=True).items():
            file = _part(one, text, b'; filename="a.csv"')
            yield _made(route, who, f"{one}: a file of {name}", body=others + file + end, kind=kind)
            if not who.few:
                yield _made(route, who, f"{one}: a part of {name}", body=others + _part(one, text) + end, kind=kind)


def _others(route: Route, who: Attacker) -> Iterator[Try]:
    for kind in OTHER_KINDS:
        yield _made(route, who, f"a body of {kind or 'no kind'}", body=b"a=1&" * (_most(route, kind) // 4), kind=kind)
    yield _made(route, who, "a long content type", body=b"{}", kind="multipart/form-data; " + "a=b; " * 1_500)
