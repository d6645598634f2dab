"""A web process that runs no jobs, its workers, and Celery's broker, all real."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from chassis import jobs
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import gunicorn
from chassis.tests.jobs import worker_app
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT
from chassis.tests.services import Redis

APP = Path(worker_app.__file__)
WORK = [sys.executable, "-m", "flask", "--app", str(APP), "jobs", "work"]
CELERY = [sys.executable, "-m", "celery", "-A", "chassis.jobs.celery", "worker", "-c", "2", "-l", "INFO"]


class Workers:
    """The service's web process, its workers, and the broker if there is one."""

    def __init__(self, engine, home, server, redis):
        self.engine, self.home, self.server, self.redis = engine, home, server, redis
        self.processes = []

    def start(self, *options):
        """Start a worker."""
        command = [*(WORK if self.engine == "embedded" else CELERY), *options]
        env = {**self.server.env, "FLASK_APP": str(APP)}
        with (self.home / f"worker-{len(self.processes)}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(LIMIT_SECONDS)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def tell_broker(self, *command):
        """Return what the broker answers to a command."""
        command = ["redis-cli", "-u", self.redis.url, *command]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def log(self):
        return "".join(path.read_text() for path in sorted(self.home.glob("worker-*.log")))

    def enqueue(self, kind, **payload):
        """Queue a job in the web process; return its id."""
        return self.server.post(f"/api/enqueue/{kind}", payload)[1]["id"]

    def wait(self, job_id, *states):
        """Wait until a job is in one of the states; return it."""

        def there():
            job = jobs.get(job_id)
            return job if job.state in states else None

        return wait_until(there, f"{jobs.get(job_id)}\n{self.log()}\n{self.server.log}")

    def running(self, job_id):
        """Wait until a job has said in which process it runs; return the process."""

        def there():
            job = jobs.get(job_id)
            return int(job.message) if job.state == "running" and job.message else None

        return wait_until(there, f"{jobs.get(job_id)}\n{self.log()}")


@contextlib.contextmanager
def service(engine, tool, tmp_path, serve, **env):
    """Yield a service whose jobs are run by workers; none has been started."""
    with contextlib.ExitStack() as stack:
        redis = None
        if engine == "celery":
            redis = Redis(tool("redis-server"), tmp_path)
            stack.callback(redis.kill)
            redis.start()
            env["JOBS_BROKER_URL"] = redis.url
        server = serve(
            command=gunicorn(APP.parent, "worker_app:app"),
            JOBS_ENGINE=engine,
            JOBS_EMBEDDED="false",
            JOB_LEASE_SECONDS="3",
            JOBS_GRACE_SECONDS="1",
            **env,
        )
        db.open(Settings(app_env="test", database_url=server.env["DATABASE_URL"]))
        stack.callback(db.close)
        found = Workers(engine, tmp_path, server, redis)
        stack.callback(found.stop)
        yield found


def lines(path):
    return path.read_text().splitlines() if path.exists() else []
