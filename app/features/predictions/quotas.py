"""The example's quotas of keys and accounts."""

from app.features.predictions import store
from app.features.predictions.settings import PredictionSettings
from chassis.security import quotas
from chassis.settings import Settings

BATCHES, ROWS = "prediction_batches", "prediction_rows"


def connect() -> None:
    """Declare the batches and rows of a day, and let what batches store count."""
    quotas.declare(quotas.Quota(BATCHES, "batches per day", _batches))
    quotas.declare(quotas.Quota(ROWS, "rows per day", _rows))
    quotas.count_stored("predictions", store.stored_bytes)


def _batches(settings: Settings) -> int:
    return settings.section(PredictionSettings).quota_batches_per_day


def _rows(settings: Settings) -> int:
    return settings.section(PredictionSettings).quota_rows_per_day
