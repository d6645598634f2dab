"""Streams: a source of texts is read in the background and sent to a room, a socket or an HTTP client."""

from chassis.realtime.streams.run import End, Run, Source, Stopped, Unread
from chassis.realtime.streams.sender import Stream, stream
from chassis.realtime.streams.written import Writing, Written

__all__ = ["End", "Run", "Source", "Stopped", "Stream", "Unread", "Writing", "Written", "stream"]
