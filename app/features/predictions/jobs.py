"""The job kinds; each handler only calls the function that does the work."""

from typing import Any

from app.features.predictions import artefacts
from app.features.predictions.batch import predict
from app.features.predictions.predictor import predictor
from app.features.predictions.settings import PredictionSettings
from app.features.predictions.store import KIND
from chassis.jobs import JobContext, job
from chassis.settings import Settings


def configure(settings: Settings) -> None:
    """Set the predictor from the settings."""
    predictor.configure(settings)


@job(KIND, title="Batch of predictions", stall="interrupt", resumable=True, own_rows=True)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    """Process one batch; chassis.upstream retries calls, so the job itself has no retries."""
    predict(context, payload["prediction_id"], predictor.concurrency)


def _artefacts_schedule(settings: Settings) -> str:
    return settings.section(PredictionSettings).artefacts_schedule


@job("prediction_artefacts", title="Files of all results", schedule=_artefacts_schedule, stall="requeue")
def make_artefacts(context: JobContext, payload: dict[str, Any]) -> None:
    """Generate the CSV and the figure of all results."""
    artefacts.make(context)
