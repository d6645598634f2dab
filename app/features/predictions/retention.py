"""Which rows of the example go by their age."""

from app.features.predictions import store
from app.features.predictions.settings import PredictionSettings
from chassis.base import DAY_SECONDS
from chassis.hooks import Hooks
from chassis.settings import Settings


def connect(hooks: Hooks) -> None:
    """Add them to what the job `retention` looks at."""
    hooks.retain("predictions", _days, store.delete_old)
    hooks.retain("prediction_cache", _cache_days, store.delete_old_answers)


def _days(settings: Settings) -> float:
    return settings.section(PredictionSettings).retention_predictions_days


def _cache_days(settings: Settings) -> float:
    """Return how long answers are used again; those of a cache that is off are not stored."""
    return settings.section(PredictionSettings).prediction_cache_seconds / DAY_SECONDS
