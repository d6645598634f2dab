"""Uploaded files: received to disk, judged by their content, stored under generated ids, and served to their owner."""

from chassis.files.model import StoredFile
from chassis.files.receiving import arriving, takes_files, uploaded_files
from chassis.files.service import delete, keep, listing, local, opened, seen
from chassis.files.serving import send

__all__ = [
    "StoredFile",
    "arriving",
    "delete",
    "keep",
    "listing",
    "local",
    "opened",
    "seen",
    "send",
    "takes_files",
    "uploaded_files",
]
