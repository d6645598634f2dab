"""Identities: who sends a request or an event, and what they may do."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import has_request_context, request

from chassis.settings import Settings
from chassis.wiring import current_settings, current_wiring

__all__ = ["ADMIN", "ANONYMOUS", "READ", "SUBMIT", "Credentials", "Identity", "Kind", "current", "scopes"]

ADMIN, SUBMIT, READ = "admin", "submit", "read"
SCOPES = (ADMIN, SUBMIT, READ)
ANONYMOUS = "anonymous"
_IMPLIED = {ADMIN: SCOPES, SUBMIT: (SUBMIT, READ), READ: (READ,)}
FOUND = "app.identities"
Environ = dict[str, Any]


def scopes(*names: str) -> frozenset[str]:
    """Return the scopes with those that they imply: `admin` implies `submit`, which implies `read`."""
    return frozenset(implied for name in names for implied in _IMPLIED[name])


@dataclass(frozen=True, slots=True)
class Identity:
    """A key, a person's account, or an anonymous visitor, who is known by address only.

    `owner` is the owner of the jobs that it starts, empty for visitors; `per_second` is its own rate, 0 the default;
    `without_limits` says that rates, quotas and the limits of its address do not apply.
    `gate` is the page that a session must pass before it may do anything, such as that of a second factor.
    """

    kind: str
    id: str
    name: str
    scopes: frozenset[str]
    owner: str = ""
    session: str = ""  # id of the session behind the cookie; empty for keys
    expires_at: float | None = None  # seconds since 1970
    per_second: float = 0
    without_limits: bool = False
    gate: str = ""
    proved_at: float | None = field(default=None, compare=False)  # see chassis.security.proof; None is never asked

    @property
    def principal(self) -> str:
        """Return the name that limits are counted by."""
        return f"{self.kind}:{self.id}"

    @property
    def maker(self) -> str:
        """Return the name that is stored with keys and links that it makes."""
        return self.owner or self.name or self.principal

    def may(self, scope: str) -> bool:
        """Return whether it has the scope."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows: a key, or the cookies of the request."""

    key: str = ""
    environ: Environ = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to authenticate.

    `look_up` returns None when the credentials are not of its kind, and raises Unauthorized when they are wrong;
    `still_good` returns whether an identity that was found earlier would be found again; `ends_at` returns when it ends
    by itself, in seconds since 1970, or None; `anybody` returns whether anybody can authenticate this way yet, and
    `first` is the command that lets the first person in.
    """

    look_up: Callable[[Credentials], Identity | None]
    still_good: Callable[[Identity], bool]
    ends_at: Callable[[Identity], float | None] = lambda found: found.expires_at
    anybody: Callable[[], bool] = lambda: True
    first: str = ""


def identify(environ: Environ, auth: object = None) -> Identity:
    """Return the identity of a request or of a socket's `auth`.

    Raises Unauthorized when the credentials are wrong, and TooManyRequests after too many wrong ones from the address.
    """
    return _known(environ, auth) or _nobody(environ)


def _known(environ: Environ, auth: object = None) -> Identity | None:
    key = shown_key(environ, auth)
    if key or "HTTP_COOKIE" in environ:
        credentials = Credentials(key, environ)
        for kind in current_wiring().identities.values():
            if found := kind.look_up(credentials):
                return found
    return None


def _nobody(environ: Environ) -> Identity:
    return anonymous(current_settings(), environ.get("REMOTE_ADDR") or "")


def anonymous(settings: Settings, address: str) -> Identity:
    """Return the identity of a client without credentials."""
    allowed = (SUBMIT,) if not settings.guarded else (READ,) if settings.public_read else ()
    return _visitor(address, allowed)


@lru_cache(maxsize=4096)
def _visitor(address: str, allowed: tuple[str, ...]) -> Identity:
    return Identity(ANONYMOUS, address, "", scopes(*allowed))


def still_good(found: Identity) -> bool:
    """Return whether the identity's key or session is still valid."""
    kind = current_wiring().identities.get(found.kind)
    return found.kind == ANONYMOUS or (kind is not None and kind.still_good(found))


def ends_at(found: Identity) -> float:
    """Return when an identity ends, as far as is known now, in seconds since 1970; infinity for never."""
    kind = current_wiring().identities.get(found.kind)
    end = kind.ends_at(found) if kind is not None else None
    return math.inf if end is None else end


def current() -> Identity:
    """Return who sent the current request or event; in a job or a command it is the operator."""
    if not has_request_context():
        return OPERATOR
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    namespace = getattr(asked, "namespace", "")
    return remembered(asked.environ, namespace) or _first_look(asked.environ, namespace)


def look_again() -> Identity:
    """Return the identity of the current request as it is now: it may have ended while a slow body arrived."""
    return _first_look(request.environ, "")


def _first_look(environ: Environ, namespace: str) -> Identity:
    """Identify the client and store the result; wrong credentials are refused once, then treated as a visitor's."""
    nobody = _nobody(environ)
    remember(environ, nobody, namespace)
    found = _known(environ) or nobody
    remember(environ, found, namespace)
    return found


def remember(environ: Environ, found: Identity, namespace: str = "") -> None:
    """Store the identity of a request (no namespace) or of a socket's namespace."""
    environ.setdefault(FOUND, {})[namespace] = found


def remembered(environ: Mapping[str, Any], namespace: str) -> Identity | None:
    """Return the identity that joined a socket's namespace."""
    known: dict[str, Identity] = environ.get(FOUND, {})
    return known.get(namespace)


def shown_key(environ: Environ, auth: object = None) -> str:
    """Return the key that a request or a socket's `auth` presents, or an empty string."""
    if isinstance(auth, dict) and isinstance(auth.get("key"), str):
        return str(auth["key"])
    if key := environ.get("HTTP_X_API_KEY"):
        return str(key)
    kind, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


OPERATOR = Identity("operator", "local", "operator", scopes(ADMIN))
