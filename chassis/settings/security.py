"""Keys of the API, limits of requests, and the names and networks that the service trusts."""

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
        SecretStr(""), description="A key that may do everything; 32 random characters or more in production."
    )
    client_api_keys: SecretStr = Field(
        SecretStr(""), description="Keys that may submit and read, separated by commas; `flask keys` makes more."
    )
    require_client_api_key: bool | None = Field(
        None, description="Ask who it is before /api, pages and sockets; by default in production only."
    )
    public_read: bool = Field(False, description="Let anonymous visitors watch, where a key or an account is required.")
    recent_proof_seconds: int = Field(
        900,
        ge=0,
        description="A person who makes a key, downloads a backup, or changes a role or a second factor is asked for a "
        "password or second factor that was shown this long ago; 0 asks never. API keys are not asked.",
    )

    http_header_seconds: float = Field(
        10,
        ge=0,
        description="How long the head of a request may take from its first byte on; 0 is any time (eventlet).",
    )
    http_body_seconds: float = Field(
        20,
        ge=0,
        description="How long the body of a request may pause; it has to come at 500 bytes a second. "
        "0 is any time (eventlet).",
    )
    http_answer_seconds: float = Field(
        60,
        ge=0,
        description="How long a client may pause while it takes an answer; it has to take 500 bytes a second. "
        "0 is any time (eventlet).",
    )
    max_body_bytes: int = Field(
        65_536,
        ge=1_000,
        description="The largest request body of any kind, where a route does not say that it takes more.",
    )
    max_json_bytes: int = Field(
        2_000_000, ge=1_000, description="The largest JSON body of a route that takes rows; 10,000 rows need 1 MB."
    )
    upload_types: CommaList = Field(
        ("text/csv", "text/tab-separated-values", "text/plain"),
        description="Types of files that are accepted, judged by what is in them.",
    )
    admin_allow: Networks = Field(
        (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")),
        description="Networks that may see the admin pages, which also need the scope `admin`.",
    )
    security_contact: CommaList = Field(
        (), description="Who is told of a hole: e-mail addresses or https URLs for /.well-known/security.txt."
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[A-Za-z0-9._-]+(:[0-9]+)?/?)?$",
        description="Where people reach the service, as in `https://app.example.org`; links in invitations begin so.",
    )
    allowed_hosts: CommaList = Field(
        (),
        description="Names that the service answers by besides that of PUBLIC_URL, `.example.org` for all below it; "
        "others get 421. With neither set: every name in production, localhost and addresses in development.",
    )
    trusted_proxies: Proxies = Field(
        (),
        description="Networks of the proxies in front, and `unix` for a unix socket: only their X-Forwarded-For, "
        "X-Forwarded-Proto and X-Forwarded-Host count.",
    )
    rate_limit_default: Rates = Field(
        (Rate(600, 60),),
        description="Requests of a key, an account or else an address, as in `600 per minute, 5000 per day`; opening a "
        "socket counts for its address. Empty is no limit. Outside of production only where it is set.",
    )
    rate_limit_burst: Rates = Field(
        (Rate(30, 1),),
        description="The same in a short time; both count. Outside of production only where it is set.",
    )
    auth_failure_limit: Rates = Field(
        (Rate(20, 60),),
        description="Wrong keys from an address; above it no key that is new to that address is looked at. Empty is no "
        "limit.",
    )
    stale_key_days: int = Field(
        90,
        ge=0,
        description="Days without use after which `flask doctor` and the console name a key; 0 is never.",
    )

    @property
    def client_keys(self) -> list[SecretStr]:
        """Return the keys of CLIENT_API_KEYS."""
        return keys.listed(self.client_api_keys)

    def problems(self) -> Iterable[Problem]:
        """Yield contacts and names that are not well-formed."""
        for contact in self.security_contact:
            if not CONTACT.fullmatch(contact):
                yield "SECURITY_CONTACT", "must be e-mail addresses or URLs that start with https://"
        if any(name != "*" and not HOST_NAME.fullmatch(name) for name in self.allowed_hosts):
            yield "ALLOWED_HOSTS", "must be names without a port, such as app.example.org, or * for all"

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Yield what production refuses."""
        if not settings.production:
            return
        for name, given in (("ADMIN_API_KEY", [self.admin_api_key]), ("CLIENT_API_KEYS", self.client_keys)):
            yield from keys.weaknesses(name, given)
        if covers_internet(proxy for proxy in self.trusted_proxies if proxy != "unix"):
            yield "TRUSTED_PROXIES", "must not be everybody: whoever is trusted may claim to be any address"
