"""What people write about the service: the text and the page that it is about, and nothing about its author."""

from chassis.feedback.store import add, delete_older, everything, listing

__all__ = ["add", "delete_older", "everything", "listing"]
