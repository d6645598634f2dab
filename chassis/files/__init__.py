"""Uploaded files: received to disk, judged by their content, stored under generated ids, and served to their owner."""

from chassis.files.described import FilesForm
from chassis.files.inbox import Inbox
from chassis.files.model import StoredFile
from chassis.files.receiving import arriving, takes_files, uploaded_files
from chassis.files.service import Keeping, delete, erase, forget, keep, keeping, listing, local, opened, seen
from chassis.files.serving import send
from chassis.files.texts import TEXT_TYPES, Unreadable, passages

__all__ = [
    "TEXT_TYPES",
    "FilesForm",
    "Inbox",
    "Keeping",
    "StoredFile",
    "Unreadable",
    "arriving",
    "delete",
    "erase",
    "forget",
    "keep",
    "keeping",
    "listing",
    "local",
    "opened",
    "passages",
    "seen",
    "send",
    "takes_files",
    "uploaded_files",
]
