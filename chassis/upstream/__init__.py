"""Calls of the outside API, which speaks OpenAI's protocol."""

from chassis.upstream.answers import Completion
from chassis.upstream.client import UpstreamClient
from chassis.upstream.errors import Cancelled, UpstreamError
from chassis.upstream.pace import Pace
from chassis.upstream.waiting import Check, sleep

upstream = UpstreamClient()
"""The client that all jobs of the process share, an `UpstreamClient`."""

__all__ = ["Cancelled", "Check", "Completion", "Pace", "UpstreamClient", "UpstreamError", "sleep", "upstream"]
