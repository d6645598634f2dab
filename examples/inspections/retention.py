"""Which inspections are deleted by age."""

from app.features.inspections import store
from app.features.inspections.settings import InspectionSettings
from chassis.hooks import Hooks
from chassis.settings import Settings


def connect(hooks: Hooks) -> None:
    """Register the tables with the job `retention`."""
    hooks.retain("inspections", _days, store.delete_old)


def _days(settings: Settings) -> float:
    return settings.section(InspectionSettings).retention_inspections_days
