"""The settings object: all core sections in one, with values derived from several of them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import PrivateAttr

from chassis.limits import Rate
from chassis.settings.application import ApplicationSettings
from chassis.settings.backups import BackupSettings
from chassis.settings.budgets import BudgetSettings
from chassis.settings.database import DatabaseSettings
from chassis.settings.feedback import FeedbackSettings
from chassis.settings.files import FileSettings
from chassis.settings.jobs import JobSettings
from chassis.settings.mail import MailSettings
from chassis.settings.parsing import of_kind
from chassis.settings.quotas import QuotaSettings
from chassis.settings.section import Problem, Section
from chassis.settings.security import SecuritySettings
from chassis.settings.server import ServerSettings
from chassis.settings.sockets import SocketSettings
from chassis.settings.streams import StreamSettings
from chassis.settings.telemetry import TelemetrySettings
from chassis.settings.upkeep import UpkeepSettings
from chassis.settings.upstream import UpstreamSettings

S = TypeVar("S", bound=Section)


class Settings(
    ApplicationSettings,
    SecuritySettings,
    ServerSettings,
    SocketSettings,
    StreamSettings,
    DatabaseSettings,
    BackupSettings,
    JobSettings,
    QuotaSettings,
    BudgetSettings,
    FileSettings,
    FeedbackSettings,
    UpkeepSettings,
    UpstreamSettings,
    MailSettings,
    TelemetrySettings,
):
    """All settings of the core; those of features and of the service are under `section(Kind)`."""

    _sections: dict[type[Section], Section] = PrivateAttr(default_factory=dict)
    _defaults: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    def section(self, kind: type[S]) -> S:
        """Return the settings of a feature or of the service."""
        found = self._sections.get(kind)
        return found if isinstance(found, kind) else self.unset(kind)

    def unset(self, kind: type[S]) -> S:
        """Return a section with no settings set: its defaults, or this service's own defaults."""
        return kind(**of_kind(kind, self._defaults))

    @property
    def broker_url(self) -> str:
        """Return the URL of Celery's broker, or "" if there is none."""
        return self.jobs_broker_url.get_secret_value() or self.redis_url.get_secret_value()

    @property
    def kinds(self) -> tuple[type[Section], ...]:
        """Return all sections in use, in the order of the documentation."""
        return (*GROUPS, *self._sections)

    @property
    def request_rates(self) -> tuple[Rate, ...]:
        """Return the rates of one principal; the defaults apply in production only, where clients are unknown."""
        names = ("rate_limit_default", "rate_limit_burst")
        return tuple(rate for name in names if self._in_force(name) for rate in getattr(self, name))

    def of_strangers(self, name: str) -> int:
        """Return a limit per address; its default applies in production only."""
        return getattr(self, name) if self._in_force(name) else 0

    def _in_force(self, name: str) -> bool:
        return self.production or name in self.model_fields_set

    @property
    def guarded(self) -> bool:
        """Return whether anonymous visitors are refused."""
        return self.production if self.require_client_api_key is None else self.require_client_api_key

    def problems(self) -> list[Problem]:
        """Return the problems that every section's rules find."""
        return [found for kind in GROUPS for found in (*kind.problems(self), *kind.problems_with(self, self))]


GROUPS = tuple(kind for kind in Settings.__bases__ if issubclass(kind, Section))
