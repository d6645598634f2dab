"""API keys, request limits, and trusted names and networks."""

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from chassis.limits import Rate
from chassis.settings import keys
from chassis.settings.networks import covers_internet
from chassis.settings.section import Problem, Section
from chassis.settings.types import CommaList, Networks, Proxies, Rates

if TYPE_CHECKING:
    from chassis.settings.core import Settings

CONTACT = re.compile(r"(mailto:)?[^@\s:/]+@[^@\s:/.]+(\.[^@\s:/.]+)++|https://[!-~]+|tel:\+?[\d-]+")
HOST_NAME = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*+|\[[0-9A-Fa-f:.]+\]")


class SecuritySettings(Section):
    """Security"""

    admin_api_key: SecretStr = Field(
        SecretStr(""), description="An API key with all rights; 32 random characters or more in production."
    )
    client_api_keys: SecretStr = Field(
        SecretStr(""), description="API keys that may submit and read, separated by commas; `flask keys` creates more."
    )
    require_client_api_key: bool | None = Field(
        None, description="Require a key or sign-in for /api, pages and sockets; by default only in production."
    )
    public_read: bool = Field(
        False, description="Give anonymous visitors read access where a key or an account is required."
    )
    recent_proof_seconds: int = Field(
        900,
        ge=0,
        description="Before creating a key, downloading a backup or changing a role or a second factor, a person "
        "must have confirmed a password or second factor within this time; 0 never asks. API keys are exempt.",
    )

    http_header_seconds: float = Field(
        10,
        ge=0,
        description="Time limit for the headers of a request, from its first byte; 0 means no limit (eventlet, "
        "gevent).",
    )
    http_body_seconds: float = Field(
        20,
        ge=0,
        description="Longest pause in the body of a request, which must arrive at 500 bytes per second or faster; 0 "
        "means no limit (eventlet, gevent).",
    )
    http_answer_seconds: float = Field(
        60,
        ge=0,
        description="Longest pause of a client that reads a response, at 500 bytes per second or faster; 0 means no "
        "limit.",
    )
    max_body_bytes: int = Field(
        65_536,
        ge=1_000,
        description="Maximum request body of any kind, unless a route accepts more.",
    )
    max_json_bytes: int = Field(
        2_000_000, ge=1_000, description="Maximum JSON body of a route that accepts rows; 10,000 rows need 1 MB."
    )
    upload_types: CommaList = Field(
        ("text/csv", "text/tab-separated-values", "text/plain"),
        description="Accepted file types, detected from the file's content.",
    )
    admin_allow: Networks = Field(
        (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")),
        description="Networks that may open the admin pages, which also require the scope `admin`.",
    )
    security_contact: CommaList = Field(
        (),
        description="Contacts for reporting vulnerabilities: e-mail addresses or https URLs for "
        "/.well-known/security.txt.",
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[A-Za-z0-9._-]+(:[0-9]+)?/?)?$",
        description="The URL of the service, such as `https://app.example.org`; links in invitations start with it.",
    )
    allowed_hosts: CommaList = Field(
        (),
        description="Host names that the service accepts besides that of PUBLIC_URL, `.example.org` for all "
        "subdomains; other names get 421. With neither set: any name in production, localhost and IP addresses in "
        "development.",
    )
    trusted_proxies: Proxies = Field(
        (),
        description="Networks of the proxies in front, and `unix` for a unix socket: X-Forwarded-For, "
        "X-Forwarded-Proto and X-Forwarded-Host are accepted only from them.",
    )
    rate_limit_default: Rates = Field(
        (Rate(600, 60),),
        description="Request limit of a key, an account or otherwise an address, such as `600 per minute, 5000 per "
        "day`; opening a socket counts for its address. Empty means no limit. Outside production it applies only if "
        "it is set.",
    )
    rate_limit_burst: Rates = Field(
        (Rate(30, 1),),
        description="The same limit over a short time; both apply. Outside production it applies only if it is set.",
    )
    auth_failure_limit: Rates = Field(
        (Rate(20, 60),),
        description="Limit of wrong keys from an address; above it, keys new to that address are refused unchecked. "
        "Empty means no limit.",
    )
    limits_shared_keys: int = Field(
        20_000,
        ge=100,
        le=200_000,
        description="How many keys, accounts and addresses several workers count together. With more, those that took "
        "the least are forgotten first. About 150 bytes of memory each, and 32 for every worker.",
    )
    stale_key_days: int = Field(
        90,
        ge=0,
        description="Days without use after which `flask doctor` and the console report a key; 0 never reports it.",
    )

    @property
    def client_keys(self) -> list[SecretStr]:
        """Return the keys of CLIENT_API_KEYS."""
        return keys.listed(self.client_api_keys)

    def problems(self) -> Iterable[Problem]:
        """Yield malformed contacts and names."""
        for contact in self.security_contact:
            if not CONTACT.fullmatch(contact):
                yield "SECURITY_CONTACT", "must be e-mail addresses or URLs that start with https://"
        if any(name != "*" and not HOST_NAME.fullmatch(name) for name in self.allowed_hosts):
            yield "ALLOWED_HOSTS", "must be names without a port, such as app.example.org, or * for all"

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Yield what is not allowed in production."""
        if not settings.production:
            return
        for name, given in (("ADMIN_API_KEY", [self.admin_api_key]), ("CLIENT_API_KEYS", self.client_keys)):
            yield from keys.weaknesses(name, given)
        if covers_internet(proxy for proxy in self.trusted_proxies if proxy != "unix"):
            yield "TRUSTED_PROXIES", "must not include every address: a trusted proxy can claim any client address"
