"""How long the log of calls is kept."""

from app.features.gateway import store
from app.features.gateway.settings import GatewaySettings
from chassis.hooks import Hooks
from chassis.settings import Settings


def connect(hooks: Hooks) -> None:
    """Register the log with the job `retention`."""
    hooks.retain("gateway_calls", _days, store.delete_calls)


def _days(settings: Settings) -> float:
    return settings.section(GatewaySettings).retention_gateway_days
