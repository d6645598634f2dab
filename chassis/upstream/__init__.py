"""The client of the outside API; `upstream` is shared by all jobs of the process."""

from chassis.upstream.answers import Completion
from chassis.upstream.client import UpstreamClient
from chassis.upstream.errors import Cancelled, UpstreamError

upstream = UpstreamClient()

__all__ = ["Cancelled", "Completion", "UpstreamClient", "UpstreamError", "upstream"]
