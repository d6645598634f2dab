"""The settings of inspections."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from chassis.settings import Problem, Section, needed


class InspectionSettings(Section):
    """Inspections (an example)"""

    inspection_classifier: Literal["measure", "text"] = Field(
        "measure",
        description="What judges images: `measure` their brightness, contrast and sharpness, or `text` on them, by a "
        "small model.",
    )
    inspection_max_concurrent: int = Field(
        10, ge=1, le=100, description="Maximum images that are classified at once, at most one per core."
    )
    inspection_chunk_images: int = Field(50, ge=1, le=1_000, description="Images of a batch that are read at once.")
    inspection_time_limit_seconds: float = Field(
        30, gt=0, description="How long one image may take; then its process is killed, and the image failed."
    )
    inspection_cache_seconds: float = Field(
        3_600, ge=0, description="How long an owner's verdicts are reused for the same content; 0 turns that off."
    )
    inspection_camera_folder: str = Field("", description="A folder in which a camera stores images, which are taken.")
    retention_inspections_days: float = Field(
        90, ge=0, description="How long verdicts and their images are kept; 0 keeps them forever."
    )

    def problems(self) -> Iterable[Problem]:
        """Yield the packages that are missing."""
        yield from needed("INSPECTION_CLASSIFIER", "pillow")
        if self.inspection_classifier == "text":
            yield from needed("INSPECTION_CLASSIFIER", "rapidocr")
