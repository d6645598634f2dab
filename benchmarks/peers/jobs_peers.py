"""The peers' side of benchmarks/jobs.py: the same trivial job in Celery, RQ and Huey. REDIS is the URL of a server."""

import os
import sys
import time
from pathlib import Path

from celery import Celery
from huey import RedisHuey, SqliteHuey
from redis import Redis
from rq import Queue

REDIS, FOLDER = os.environ["REDIS"], os.environ["FOLDER"]
app = Celery("jobs", broker=REDIS)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
sqlite_huey = SqliteHuey(filename=f"{FOLDER}/huey.db", results=False)
redis_huey = RedisHuey(url=REDIS, results=False)


def trivial(at: float, told: str) -> None:
    """Report when the job was queued and started."""
    with Path(told).open("a") as file:
        file.write(f"{at} {time.time()}\n")


in_celery = app.task(trivial)
in_sqlite_huey, in_redis_huey = sqlite_huey.task()(trivial), redis_huey.task()(trivial)


def main(side: str, number: int, pause: float, told: str) -> None:
    """Queue jobs, and print the seconds that it took."""
    queue = Queue(connection=Redis.from_url(REDIS))
    send = {
        "celery": lambda at: in_celery.delay(at, told),
        "rq": lambda at: queue.enqueue(trivial, at, told, result_ttl=0),
        "huey-sqlite": lambda at: in_sqlite_huey(at, told),
        "huey-redis": lambda at: in_redis_huey(at, told),
    }[side]
    started = time.time()
    for _ in range(number):
        send(time.time())
        time.sleep(pause)
    print(time.time() - started, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import jobs_peers  # the name by which workers find the job

    jobs_peers.main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
