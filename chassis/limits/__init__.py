"""Token buckets: rates, buckets in memory, shared memory or Redis, and the one limiter of the whole service.

`FairQueue` gives out what is scarce. The rest of this room only counts. What is counted, the rates, and the answer to a
refused client are decided elsewhere: in `chassis.security.request_rates` for requests, `chassis.realtime.event_rates`
for events, `chassis.upstream.pace` for calls to the outside API.
"""

from chassis.limits.fair import FairQueue
from chassis.limits.limiter import Limiter
from chassis.limits.memory import MemoryBuckets
from chassis.limits.rate import Rate, Rates
from chassis.limits.verdict import Buckets, Verdict

limiter = Limiter()
"""The limiter of the service, with the method `take` of `Buckets`: counts in Redis where that is configured,
and over all workers of this machine."""

__all__ = ["Buckets", "FairQueue", "MemoryBuckets", "Rate", "Rates", "Verdict", "limiter"]
