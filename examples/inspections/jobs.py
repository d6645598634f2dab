"""The job kinds; each handler only calls the function that does the work."""

from typing import Any

from app.features.inspections import service
from app.features.inspections.batch import inspect
from app.features.inspections.settings import InspectionSettings
from app.features.inspections.store import KIND
from chassis.jobs import JobContext, job
from chassis.settings import Settings


@job(KIND, stall="requeue", resumable=True, max_attempts=3, own_rows=True)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    """Inspect one batch; after a crash, another attempt goes on with the images that have no verdict."""
    inspect(context, payload["inspection_id"])


def _watched(settings: Settings) -> str:
    return "* * * * *" if settings.section(InspectionSettings).inspection_camera_folder else ""


@job("inspection_camera", schedule=_watched, stall="requeue", missed="skip", in_quota=False)
def watch_camera(context: JobContext, payload: dict[str, Any]) -> None:
    """Take images from the camera's folder for a minute; the schedule has one process do this."""
    service.camera().watch(context)
