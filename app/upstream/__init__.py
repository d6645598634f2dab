"""The outside API; `upstream` is the client that all jobs of the process share."""

from app.upstream.answers import Completion
from app.upstream.client import UpstreamClient
from app.upstream.errors import Cancelled, UpstreamError

upstream = UpstreamClient()

__all__ = ["Cancelled", "Completion", "UpstreamClient", "UpstreamError", "upstream"]
