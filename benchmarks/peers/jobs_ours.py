"""This project's side of benchmarks/jobs.py: the application with a trivial kind of job."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from app import create_app
from chassis import jobs
from chassis.jobs.sender import Sender
from chassis.wiring import settings_of


@jobs.job("trivial")
def trivial(context, payload):
    """Report when the job was queued and started."""
    with Path(payload["told"]).open("a") as file:
        file.write(f"{payload['at']} {time.time()}\n")


app = create_app()


def main(number: int, pause: float, told: str) -> None:
    """Queue jobs, and print the seconds that it took."""
    settings = settings_of(app)
    sender = Sender(settings) if settings.jobs_engine == "celery" else None
    if sender:
        sender.start()
    with app.app_context():
        started = time.time()
        for _ in range(number):
            jobs.enqueue("trivial", {"at": time.time(), "told": told})
            time.sleep(pause)
        print(time.time() - started, flush=True)
    if sender:
        sender.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
