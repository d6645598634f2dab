"""RQ with Redis."""

import os

from jobs_peers import trivial
from redis import Redis
from rq import Queue

queue = Queue(connection=Redis.from_url(os.environ["REDIS"]))


def send(at: float, told: str) -> None:
    """Queue a job."""
    queue.enqueue(trivial, at, told, result_ttl=0)
