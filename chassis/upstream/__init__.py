"""The outside API; `upstream` is the client that all jobs of the process share."""

from chassis.upstream.answers import Completion
from chassis.upstream.client import UpstreamClient
from chassis.upstream.errors import Cancelled, UpstreamError

upstream = UpstreamClient()

__all__ = ["Cancelled", "Completion", "UpstreamClient", "UpstreamError", "upstream"]
