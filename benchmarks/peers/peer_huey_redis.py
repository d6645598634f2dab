"""Huey with Redis."""

import os

from huey import RedisHuey
from jobs_peers import trivial

huey = RedisHuey(url=os.environ["REDIS"], results=False)
send = huey.task()(trivial)
