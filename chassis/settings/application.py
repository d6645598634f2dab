"""The instance's environment, the keys for signatures, and the log."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from chassis.base.environment import BASE_DIR
from chassis.settings import keys
from chassis.settings.section import Problem, Section
from chassis.settings.types import Networks, Origins

ADVICE = "generate one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"


class ApplicationSettings(Section):
    """Application"""

    app_env: Literal["development", "production", "test"] = Field(
        "development", description="What this instance is for. `production` refuses weak settings."
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs sessions; 32 random characters or more. In development one is generated at each start.",
    )
    secret_key_fallbacks: SecretStr = Field(
        SecretStr(""),
        description="Earlier SECRET_KEYs whose cookies are still accepted, separated by commas; for a rotation.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The lowest level that is logged."
    )
    log_format: Literal["", "console", "json"] = Field(
        "", description="`console` or `json`; by default `json` in production and `console` elsewhere."
    )
    log_file: str = Field(
        "", description="A file for the log instead of standard output; SIGUSR1 reopens it (deploy/logrotate)."
    )
    log_file_max_bytes: int = Field(
        10_000_000,
        ge=0,
        description="LOG_FILE is moved aside (`app.log.1`) when it has this size; 0 leaves that to another program, "
        "such as logrotate.",
    )
    log_file_keep: int = Field(5, ge=1, le=1000, description="How many files that were moved aside are kept.")
    log_file_and_stdout: bool = Field(False, description="Log to standard output too if LOG_FILE is set.")
    debug_pages: bool = Field(
        False, description="Show tracebacks on error pages and reload templates; refused in production."
    )
    metrics_allow: Networks = Field(
        (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
        description="Networks that may read /metrics.",
    )
    cors_origins: Origins = Field(
        (), description="Other origins that may call /api and open sockets, for example `https://app.example.org`."
    )

    @property
    def production(self) -> bool:
        return self.app_env == "production"

    @property
    def earlier_secret_keys(self) -> list[SecretStr]:
        """Return the keys of SECRET_KEY_FALLBACKS."""
        return keys.listed(self.secret_key_fallbacks)

    @property
    def log_path(self) -> Path | None:
        """Return the path of LOG_FILE, relative to the project's folder, or None."""
        return BASE_DIR / self.log_file if self.log_file else None

    @property
    def effective_log_format(self) -> str:
        return self.log_format or ("json" if self.production else "console")

    def problems(self) -> Iterable[Problem]:
        """Yield what is not allowed in production."""
        if not self.production:
            return
        if not self.secret_key.get_secret_value():
            yield "SECRET_KEY", f"is missing; {ADVICE}"
        for name, signing in (("SECRET_KEY", [self.secret_key]), ("SECRET_KEY_FALLBACKS", self.earlier_secret_keys)):
            yield from keys.weaknesses(name, signing, f"; {ADVICE}")
        if "*" in self.cors_origins:
            yield "CORS_ORIGINS", "must not be * in production: list the origins, or leave it empty"
        if self.debug_pages:
            yield "DEBUG_PAGES", "must be off in production: tracebacks reveal the code and its data"
