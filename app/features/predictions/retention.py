"""Which rows of the example are deleted by age."""

from app.features.predictions import store
from app.features.predictions.settings import PredictionSettings
from app.features.predictions.tables import cache
from chassis.base import DAY_SECONDS
from chassis.db import older
from chassis.hooks import Hooks
from chassis.settings import Settings


def connect(hooks: Hooks) -> None:
    """Register the tables with the job `retention`."""
    hooks.retain("predictions", _days, store.delete_old)
    hooks.retain("prediction_cache", _cache_days, older(cache.c.created_at))


def _days(settings: Settings) -> float:
    return settings.section(PredictionSettings).retention_predictions_days


def _cache_days(settings: Settings) -> float:
    """Return how long answers are reused; when the cache is off, no answers are stored."""
    return settings.section(PredictionSettings).prediction_cache_seconds / DAY_SECONDS
