"""What of the example counts towards the quotas of a key or an account."""

from app.features.predictions import store
from app.features.predictions.settings import PredictionSettings
from chassis.security import quotas
from chassis.security.quotas import Quota
from chassis.settings import Settings

BATCHES, ROWS = "prediction_batches", "prediction_rows"


def connect() -> None:
    """Declare the batches and rows of a day, and let what batches store count."""
    quotas.declare(Quota(BATCHES, "batches per day", _batches))
    quotas.declare(Quota(ROWS, "rows per day", _rows))
    quotas.count_stored("predictions", store.stored_bytes)


def _batches(settings: Settings) -> int:
    return settings.section(PredictionSettings).quota_batches_per_day


def _rows(settings: Settings) -> int:
    return settings.section(PredictionSettings).quota_rows_per_day
