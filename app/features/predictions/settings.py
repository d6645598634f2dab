"""The example's own settings."""

from pydantic import Field

from chassis.settings import Cron, Section


class PredictionSettings(Section):
    """Predictions (the example)"""

    demo_predictor: bool = Field(
        False, description="Let the built-in demo predictor answer in production too, when there is no API key."
    )
    prediction_cache_seconds: int = Field(
        604_800, ge=0, description="How long the answer to the same prompt and model is reused; 0 is never."
    )
    retention_predictions_days: float = Field(
        0, ge=0, description="How long batches that ended are kept, with their results; 0 is for ever."
    )
    artefacts_schedule: Cron = Field(
        "5 * * * *", description="When the CSV and the figure of all results are made anew (cron); empty is never."
    )
    prediction_max_rows: int = Field(10_000, ge=1, le=1_000_000, description="The most rows in one batch.")
    quota_batches_per_day: int = Field(
        2_000, ge=0, description="Batches that a key or an account may start in a day; 0 is no limit."
    )
    quota_rows_per_day: int = Field(
        200_000, ge=0, description="Rows that a key or an account may have asked in a day; 0 is no limit."
    )
    prediction_max_prompt_characters: int = Field(
        200_000,
        ge=1_000,
        description="The longest prompt that is sent, with the row's values in it; a longer one fails.",
    )
