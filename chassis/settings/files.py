"""Uploaded files: where they are stored, how large they may be, and how long they are kept."""

from collections.abc import Iterable

from pydantic import Field

from chassis.settings import packages
from chassis.settings.backups import BUCKET
from chassis.settings.section import Problem, Section

HEAD_BYTES = 2_000  # of a part of a form, before its content


class FileSettings(Section):
    """Files"""

    files_to: str = Field(
        "", description="A folder or `s3://bucket/prefix` for uploaded files; by default `files` beside the database."
    )
    max_file_size: int = Field(52_428_800, ge=1_000, description="Maximum bytes of an uploaded file that is stored.")
    max_files_per_batch: int = Field(100, ge=1, le=10_000, description="Maximum stored files of one request.")
    max_total_upload_size: int = Field(
        524_288_000, ge=1_000, description="Maximum bytes of all stored files of one request."
    )
    max_image_pixels: int = Field(
        50_000_000, ge=1_000, le=500_000_000, description="Maximum width times height of an uploaded image."
    )
    max_document_characters: int = Field(
        2_000_000, ge=1_000, le=20_000_000, description="Maximum text of a document whose passages are read."
    )
    document_seconds: int = Field(60, ge=1, le=600, description="Seconds that reading the text of a document may take.")
    document_megabytes: int = Field(1_000, ge=200, description="Memory that reading the text of a document may take.")
    retention_files_days: float = Field(
        90, ge=0, description="How long uploaded files are kept; 0 keeps them until they are deleted."
    )

    @property
    def max_files_body(self) -> int:
        """Return the maximum body of a request with files: their content, and what surrounds it."""
        return self.max_total_upload_size + HEAD_BYTES * (self.max_files_per_batch + 100)

    def problems(self) -> Iterable[Problem]:
        """Yield limits that contradict each other, and a place that cannot work."""
        if self.max_file_size > self.max_total_upload_size:
            yield "MAX_FILE_SIZE", "must not be above MAX_TOTAL_UPLOAD_SIZE"
        if "://" in self.files_to and not BUCKET.match(self.files_to):
            yield "FILES_TO", "must be a folder or s3://bucket/prefix"
        if self.files_to.startswith("s3://"):
            yield from packages.needed("FILES_TO", "boto3", "s3")
