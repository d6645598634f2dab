"""The provider's metadata: its endpoints and keys, read when somebody signs in and cached for an hour."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from chassis.parts.accounts.oidc import wire
from chassis.parts.accounts.oidc.wire import ProviderUnavailable

DISCOVERY = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, section 4
KEEP_SECONDS, LONGEST_SECONDS = 3_600, 86_400  # the second while the provider is unreachable
ASK_AGAIN_SECONDS = 10  # after a failure, or for an unknown key
MOST_KEYS = 50


@dataclass(frozen=True)
class Provider:
    """Endpoints and keys, and when they were read (monotonic seconds)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    secret_in_body: bool
    tells_when: bool  # its tokens say when a person signed in there (`auth_time`)
    keys: KeySet
    read_at: float


class Known:
    """The provider as last read; one caller reads at a time, and the others wait for the result."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._clock, self._reading = issuer, clock, threading.Lock()
        self._found: Provider | None = None
        self._failed_at = -float("inf")

    def current(self, newer_than: float | None = None) -> Provider:
        """Return the provider, read after `newer_than` if given; raise ProviderUnavailable.

        While it is unreachable, a result from the last day is used.
        """
        if (found := self._fresh(newer_than)) is not None:
            return found
        if not self._reading.acquire(timeout=2 * wire.SECONDS):
            raise wire.unavailable(self._issuer, "another sign-in is still waiting for it")
        try:
            return self._fresh(newer_than) or self._read()
        finally:
            self._reading.release()

    def _fresh(self, newer_than: float | None) -> Provider | None:
        found, now = self._found, self._clock()
        if found is None:
            return None
        is_old = now - found.read_at > KEEP_SECONDS or (newer_than is not None and found.read_at <= newer_than)
        may_ask = now - max(self._failed_at, found.read_at) > ASK_AGAIN_SECONDS
        return None if is_old and may_ask else found

    def _read(self) -> Provider:
        now = self._clock()
        if self._found is None and now - self._failed_at < ASK_AGAIN_SECONDS:
            raise ProviderUnavailable
        try:
            self._found = read(self._issuer, now)
        except ProviderUnavailable:
            self._failed_at = self._clock()
            if self._found is None or now - self._found.read_at > LONGEST_SECONDS:
                raise
        return self._found


def read(issuer: str, now: float) -> Provider:
    """Read the provider's discovery document and keys; raise ProviderUnavailable."""
    url = issuer.rstrip("/") + DISCOVERY
    status, said = wire.ask("GET", url)
    if status != 200:
        raise wire.unavailable(url, f"status {status}")
    if said.get("issuer") != issuer:
        raise wire.unavailable(
            url, f"it calls itself {str(said.get('issuer'))[:200]!r}: set OIDC_ISSUER to its own URL"
        )
    methods, told = said.get("token_endpoint_auth_methods_supported"), said.get("claims_supported")
    return Provider(
        issuer=issuer,
        authorization_endpoint=_endpoint(issuer, said, "authorization_endpoint"),
        token_endpoint=_endpoint(issuer, said, "token_endpoint"),
        userinfo_endpoint=_endpoint(issuer, said, "userinfo_endpoint") if said.get("userinfo_endpoint") else "",
        secret_in_body=isinstance(methods, list) and "client_secret_basic" not in methods,
        tells_when=isinstance(told, list) and "auth_time" in told,
        keys=_keys(_endpoint(issuer, said, "jwks_uri")),
        read_at=now,
    )


def _endpoint(issuer: str, said: dict[str, Any], name: str) -> str:
    """Return an endpoint; only a provider on this machine, which has no TLS itself, may omit it."""
    url = said.get(name)
    schemes = ("https", "http") if issuer.startswith("http://") else ("https",)
    if not isinstance(url, str) or not url.isprintable() or not _is_url(url, schemes):
        raise wire.unavailable(issuer, f"its {name} is not an {schemes[0]} URL")
    return url


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        return urlsplit(text).scheme in schemes and bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _keys(url: str) -> KeySet:
    status, said = wire.ask("GET", url)
    listed = said.get("keys")
    if status != 200 or not isinstance(listed, list):
        raise wire.unavailable(url, f"status {status}, without keys")
    found = [key for one in listed[:MOST_KEYS] if (key := _key(one)) is not None]
    if not found:
        raise wire.unavailable(url, "no usable key")
    return KeySet(found)


def _key(said: Any) -> Any:
    """Return a public signature key, or None for any other kind: a published secret proves nothing."""
    if not isinstance(said, dict) or said.get("kty") not in ("RSA", "EC", "OKP") or said.get("use", "sig") != "sig":
        return None
    try:
        return import_key(said)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
