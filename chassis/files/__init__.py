"""Uploaded files: received to disk, judged by their content, stored under generated ids, and served to their owner."""

from chassis.files.model import StoredFile
from chassis.files.receiving import takes_files, uploaded_files
from chassis.files.service import delete, keep, listing, opened, seen
from chassis.files.serving import send

__all__ = ["StoredFile", "delete", "keep", "listing", "opened", "seen", "send", "takes_files", "uploaded_files"]
