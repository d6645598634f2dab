"""gunicorn's settings and hooks, for gunicorn_config.py.

They run in the master, which must not import libraries that workers patch.
"""

import gc
import math
import os
import sys
from typing import Any

import structlog

from chassis import features
from chassis.base.environment import pass_to_children, sources, workers_folder
from chassis.base.service import CHASSIS_VERSION, current
from chassis.errors import SettingsError
from chassis.limits import machine
from chassis.observability.logs import configure_logging
from chassis.server import libraries, told
from chassis.server.handover import Handover
from chassis.server.patches import for_eventlet, for_gunicorn
from chassis.server.several import folder
from chassis.server.start import end_when_told, leave_out_preload, raise_file_limit, refuse_tls, run_boot
from chassis.settings import Settings
from chassis.settings.secret_key import ensure_secret_key

log = structlog.get_logger("chassis.serving")
WORKER_CLASSES = {told.MODES[name]: path for name, path in told.OURS.items()}
OURS = ("app", "chassis")
ANY = ("0.0.0.0", "::")  # noqa: S104 - names of every address


class Serving:
    """The settings in gunicorn's form, and gunicorn's hooks."""

    def __init__(self, settings: Settings, *, made_key: bool) -> None:
        self.settings, self.made_key = settings, made_key
        self.bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
        self.worker_class = WORKER_CLASSES[settings.async_mode]
        self.threads = settings.gunicorn_threads if settings.async_mode == "threading" else 1
        self.graceful_timeout = settings.gunicorn_graceful_timeout_seconds + math.ceil(settings.drain_delay_seconds)
        self.proc_name = current().slug
        self.keepalive = 5

    @classmethod
    def read(cls) -> "Serving":
        """Read the settings, including gunicorn's own options; list the invalid ones and exit."""
        leave_out_preload()
        taken: dict[str, str] = {}
        try:
            if problems := told.unreadable(os.environ):
                raise SettingsError(problems)
            taken = told.take_over(lambda name: name in sources([name]), pass_to_children)
            read = features.load()
            if problems := libraries.unreadable(read.async_mode, os.environ):
                raise SettingsError(problems)
            settings = ensure_secret_key(read)
            configure_logging(settings)
            _say_what_starts()
        except SettingsError as error:
            print(error.message, file=sys.stderr)  # noqa: T201
            for name in [name for name in taken if name in dict(error.problems)]:
                print(f"  {name} is what {taken[name]} says.", file=sys.stderr)  # noqa: T201
            sys.exit(error.exit_status)
        for_gunicorn.bound_requests()
        return cls(settings, made_key=settings is not read)

    def on_starting(self, server: Any) -> None:
        """Boot in a child process of the master."""
        if self.settings.async_mode != "threading":
            refuse_tls(server)
        if self.settings.async_mode == "eventlet":
            for_eventlet.say_deprecated()
        raise_file_limit(self.settings.gunicorn_worker_connections)
        if self.made_key:
            server.log.warning(
                "SECRET_KEY is not set: generated one for this start; sessions end when the service restarts."
            )
        folder.forget()
        if self.settings.gunicorn_workers > 1:
            machine.found(self.settings.limits_shared_keys, self.settings.gunicorn_workers)
        gc.freeze()  # its children need not search for garbage what this process has loaded
        run_boot(_boot)
        if self.settings.gunicorn_workers > 1:  # after the boot, which would leave its own metrics behind
            folder.create(server.cfg.uid, server.cfg.gid)

    def nworkers_changed(self, server: Any, new_value: int, old_value: int | None) -> None:
        """Refuse SIGTTIN with a single worker: what several workers share is set up at the start."""
        starts = old_value is None and self.settings.gunicorn_workers > 1
        if new_value > 1 and not (starts or workers_folder()):
            server.log.warning("More workers need GUNICORN_WORKERS and a restart; the number stays at one.")
            server.num_workers = 1

    def when_ready(self, server: Any) -> None:
        """Log the address; if gunicorn was given another one by --bind, gunicorn logs it."""
        if server.cfg.bind == [self.bind]:
            host = "127.0.0.1" if self.settings.host in ANY else self.settings.host
            server.log.info("Serving on http://%s:%s", f"[{host}]" if ":" in host else host, self.settings.port)

    def pre_fork(self, _server: Any, worker: Any) -> None:
        """Give a new worker its limits, and the handover from the previous worker."""
        delay = self.settings.drain_delay_seconds
        worker.handover = Handover(worker.age, delay, limit_seconds=(self.graceful_timeout - delay) * 0.4)
        worker.head_seconds = self.settings.http_header_seconds
        worker.body_seconds = self.settings.http_body_seconds
        worker.answer_seconds = self.settings.http_answer_seconds
        worker.shared_limits = machine.admit(worker.age)

    def post_fork(self, _server: Any, worker: Any) -> None:
        """Unload our modules, so that a reload serves the present files, with patches applied.

        Garbage is collected again from the end of `create_app` on.
        """
        gc.disable()
        end_when_told()
        folder.enter(worker.age)
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]

    def post_worker_init(self, worker: Any) -> None:
        """Start the background work of the worker, and tell the previous worker that this one serves."""
        from chassis.workers import start

        start(worker)
        worker.handover.ready()

    def worker_exit(self, _server: Any, worker: Any) -> None:
        """Wait until the worker's background work has stopped."""
        if worker.booted:
            from chassis.workers import finish

            finish()

    def child_exit(self, _server: Any, worker: Any) -> None:
        """Remove a dead worker from what the workers share."""
        machine.bury(worker.age)
        if workers_folder():
            folder.clear_away(worker.age)
            from prometheus_client import multiprocess

            multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

    def on_exit(self, _server: Any) -> None:
        """Remove what the workers share."""
        if workers_folder():
            folder.remove()


def _say_what_starts() -> None:
    service = current()
    log.info("service_starts", name=service.name, version=service.version, chassis=CHASSIS_VERSION)


def _boot() -> None:
    """Boot; its imports, which stay, are not searched for garbage."""
    gc.disable()
    from chassis.boot import run

    gc.enable()
    run()
