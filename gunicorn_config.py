"""gunicorn's settings and hooks: `gunicorn -c gunicorn_config.py wsgi:app`. All values come from chassis.settings."""

import math
import shutil
import sys
import tempfile
from pathlib import Path

from chassis import features
from chassis.base.environment import multiprocess_metrics, pass_to_children, sources
from chassis.errors import SettingsError
from chassis.observability.logs import configure_logging
from chassis.server import framing, told
from chassis.server.handover import Handover
from chassis.server.start import end_when_told, leave_out_preload, raise_file_limit, refuse_tls, run_boot
from chassis.settings import ensure_secret_key

WORKER_CLASSES = {"eventlet": "chassis.server.worker.EventletWorker", "gevent": "gevent", "threading": "gthread"}

leave_out_preload()
_told = told.take_over(lambda name: name in sources([name]), pass_to_children)
framing.bound()
try:
    _read = features.load()
    _settings = ensure_secret_key(_read)
    configure_logging(_settings)
except SettingsError as error:
    print(error.message, file=sys.stderr)  # noqa: T201
    for name in [name for name in _told if name in dict(error.problems)]:
        print(f"  {name} is what {_told[name]} says.", file=sys.stderr)  # noqa: T201
    sys.exit(error.exit_status)
_made_key = _settings is not _read

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = WORKER_CLASSES[_settings.async_mode]
workers = _settings.gunicorn_workers
threads = _settings.gunicorn_threads if _settings.async_mode == "threading" else 1
worker_connections = _settings.gunicorn_worker_connections
timeout = _settings.gunicorn_timeout_seconds
graceful_timeout = _settings.gunicorn_graceful_timeout_seconds + math.ceil(_settings.drain_delay_seconds)
max_requests = _settings.gunicorn_max_requests
max_requests_jitter = max_requests // 10
keepalive = 2 if _settings.async_mode == "gevent" else 5  # gevent waits it out when a worker stops
backlog = 4096
sendfile = False  # eventlet's green sockets truncate it
control_socket_disable = True  # it fails on a read-only root, and two apps of one user collide
# What a proxy says is for chassis.security.proxies alone to judge. gunicorn by itself takes the scheme from this
# machine and from unix sockets, whatever TRUSTED_PROXIES says, and lets SCRIPT_NAME and PATH_INFO be overridden there.
forwarded_allow_ips = ""
secure_scheme_headers = {}
forwarder_headers = ""
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a heartbeat must not wait for a disk
logger_class = "chassis.observability.gunicorn_log.GunicornLogger"
loglevel = _settings.log_level.lower()
proc_name = "flask-socketio"


def on_starting(server):
    if _settings.async_mode == "eventlet":
        refuse_tls(server)
    raise_file_limit(worker_connections)
    if _made_key:
        server.log.warning("SECRET_KEY is not set: made one for this start, sessions end with it.")
    if workers > 1:
        pass_to_children("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="metrics-"))
    run_boot(boot)


def boot():
    """Boot in a child of the master, which must not import what the workers patch."""
    from chassis.boot import run

    run()


def nworkers_changed(server, new_value, old_value):
    """Refuse what SIGTTIN asks of a single worker: what several share is set up at the start."""
    if workers == 1 and new_value > 1:
        server.log.warning("More workers need GUNICORN_WORKERS and a restart: it stays at one.")
        server.num_workers = 1


def when_ready(server):
    if server.cfg.bind != [bind]:  # --bind: gunicorn's own line says where
        return
    host = "127.0.0.1" if _settings.host in ("0.0.0.0", "::") else _settings.host  # noqa: S104
    server.log.info("Serving on http://%s:%s", f"[{host}]" if ":" in host else host, _settings.port)


def pre_fork(server, worker):
    delay = _settings.drain_delay_seconds
    worker.handover = Handover(worker.age, delay, limit_seconds=(graceful_timeout - delay) * 0.4)
    worker.head_seconds, worker.body_seconds = _settings.http_header_seconds, _settings.http_body_seconds
    worker.answer_seconds = _settings.http_answer_seconds


def post_fork(server, worker):
    """Forget the application's modules, so that a reload serves what is on the disk now, patched as it should be."""
    end_when_told()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("app", "chassis")]:
        del sys.modules[name]


def post_worker_init(worker):
    from chassis.workers import start

    start(worker)
    worker.handover.ready()


def worker_exit(server, worker):
    if worker.booted:
        from chassis.workers import finish

        finish()


def on_exit(server):
    if workers > 1:
        shutil.rmtree(multiprocess_metrics(), ignore_errors=True)


def child_exit(server, worker):
    if workers > 1:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
