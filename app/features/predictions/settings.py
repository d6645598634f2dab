"""The example's own settings."""

from pydantic import Field

from chassis.settings import Cron, Section


class PredictionSettings(Section):
    """Predictions (the example)"""

    demo_predictor: bool = Field(
        False, description="Let the built-in demo answer in production when no API key is set."
    )
    prediction_cache_seconds: int = Field(
        604_800, ge=0, description="How long an answer to the same prompt and model is reused; 0 disables the cache."
    )
    retention_predictions_days: float = Field(
        0, ge=0, description="How long ended batches and their results are kept; 0 keeps them forever."
    )
    artefacts_schedule: Cron = Field(
        "5 * * * *",
        description="When the CSV and the figure of all results are regenerated (cron); empty turns it off.",
    )
    prediction_max_rows: int = Field(10_000, ge=1, le=1_000_000, description="Maximum rows in a batch.")
    quota_batches_per_day: int = Field(
        2_000, ge=0, description="Maximum batches per day for a key or an account; 0 means no limit."
    )
    quota_rows_per_day: int = Field(
        200_000, ge=0, description="Maximum rows per day for a key or an account; 0 means no limit."
    )
    prediction_max_prompt_characters: int = Field(
        200_000,
        ge=1_000,
        description="Maximum length of a prompt with the row's values filled in; rows with a longer one fail.",
    )
