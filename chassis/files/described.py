"""A form with files, as the HTTP interface describes it."""

from pydantic import BaseModel, Field


class FilesForm(BaseModel):
    """A form with files."""

    files: list[bytes] = Field(description="One or more files.", min_length=1, examples=[["@LICENSE"]])
