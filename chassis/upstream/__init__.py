"""Calls of the outside API, which speaks OpenAI's protocol."""

from chassis.upstream.answers import Completion
from chassis.upstream.calls import Message, Prompt
from chassis.upstream.client import UpstreamClient
from chassis.upstream.errors import Cancelled, UpstreamError
from chassis.upstream.pace import Pace
from chassis.upstream.streaming import Part
from chassis.upstream.usage import Usage
from chassis.upstream.waiting import Check, sleep

upstream = UpstreamClient()
"""The client that all jobs of the process share, an `UpstreamClient`."""

__all__ = [
    "Cancelled",
    "Check",
    "Completion",
    "Message",
    "Pace",
    "Part",
    "Prompt",
    "UpstreamClient",
    "UpstreamError",
    "Usage",
    "sleep",
    "upstream",
]
