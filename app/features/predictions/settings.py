"""The example's own settings."""

from pydantic import Field

from app.settings import Cron, Section


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
    prediction_max_prompt_characters: int = Field(
        200_000,
        ge=1_000,
        description="The longest prompt that is sent, with the row's values in it; a longer one fails.",
    )
