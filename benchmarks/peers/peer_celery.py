"""Celery with Redis."""

import os

from celery import Celery
from jobs_peers import trivial

app = Celery("jobs", broker=os.environ["REDIS"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
send = app.task(trivial).delay
