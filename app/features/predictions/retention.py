"""Which rows of the example go by their age."""

from app.features.predictions import store
from app.features.predictions.settings import PredictionSettings
from chassis.settings import Settings
from chassis.upkeep import retention


def connect() -> None:
    """Add them to what the job `retention` looks at."""
    retention.keep("predictions", _days, store.delete_old)
    retention.keep("prediction_cache", _cache_days, store.delete_old_answers)


def _days(settings: Settings) -> float:
    return settings.section(PredictionSettings).retention_predictions_days


def _cache_days(settings: Settings) -> float:
    """Return how long answers are used again; those of a cache that is off are not stored."""
    return settings.section(PredictionSettings).prediction_cache_seconds / retention.DAY_SECONDS
