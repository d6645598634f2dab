"""Calls of the outside API, which speaks OpenAI's protocol."""

from chassis.upstream.answers import Completion
from chassis.upstream.breaker import Breaker, RetryBudget
from chassis.upstream.calls import Message, Prompt, latest
from chassis.upstream.client import UpstreamClient
from chassis.upstream.connections import WireLimits
from chassis.upstream.errors import Cancelled, UpstreamError
from chassis.upstream.event_stream import EventReader
from chassis.upstream.listing import list_models
from chassis.upstream.metering import Meter, usage_of
from chassis.upstream.pace import Pace
from chassis.upstream.places import check_base_url, same_host
from chassis.upstream.pool import Member, MemberSpec, Pool, choose
from chassis.upstream.relay import Asked, NoBackend, Relay, RelayLimits
from chassis.upstream.relayed import Relayed
from chassis.upstream.streaming import Part
from chassis.upstream.usage import Usage
from chassis.upstream.waiting import Check, sleep
from chassis.upstream.wire import WIRE_ERRORS, Wire, WireAnswer

upstream = UpstreamClient()
"""The client that all jobs of the process share, an `UpstreamClient`."""

__all__ = [
    "WIRE_ERRORS",
    "Asked",
    "Breaker",
    "Cancelled",
    "Check",
    "Completion",
    "EventReader",
    "Member",
    "MemberSpec",
    "Message",
    "Meter",
    "NoBackend",
    "Pace",
    "Part",
    "Pool",
    "Prompt",
    "Relay",
    "RelayLimits",
    "Relayed",
    "RetryBudget",
    "UpstreamClient",
    "UpstreamError",
    "Usage",
    "Wire",
    "WireAnswer",
    "WireLimits",
    "check_base_url",
    "choose",
    "latest",
    "list_models",
    "same_host",
    "sleep",
    "upstream",
    "usage_of",
]
