"""Dramatiq with Redis."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from jobs_peers import trivial

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS"]))
send = dramatiq.actor(trivial).send
