"""gunicorn's settings: `gunicorn -c gunicorn_config.py wsgi:app`. The values come from docs/configuration.md."""

from pathlib import Path

from chassis.serving.gunicorn import Serving

_serving = Serving.read()
_settings = _serving.settings

bind = _serving.bind
worker_class = _serving.worker_class
workers = _settings.gunicorn_workers
threads = _serving.threads
worker_connections = _settings.gunicorn_worker_connections
timeout = _settings.gunicorn_timeout_seconds
graceful_timeout = _serving.graceful_timeout
max_requests = _settings.gunicorn_max_requests
max_requests_jitter = max_requests // 10
keepalive = _serving.keepalive
backlog = 4096
sendfile = False  # green sockets truncate it
control_socket_disable = True  # it fails on a read-only root, and two apps of one user collide
# What a proxy says is judged by chassis.security.proxies alone: gunicorn would believe this machine and unix sockets,
# whatever TRUSTED_PROXIES says, and let SCRIPT_NAME and PATH_INFO be overridden from there.
forwarded_allow_ips = ""
secure_scheme_headers = {}
forwarder_headers = ""
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a heartbeat must not wait for a disk
logger_class = "chassis.observability.gunicorn_log.GunicornLogger"
loglevel = _settings.log_level.lower()
proc_name = _serving.proc_name

on_starting = _serving.on_starting
when_ready = _serving.when_ready
nworkers_changed = _serving.nworkers_changed
pre_fork = _serving.pre_fork
post_fork = _serving.post_fork
post_worker_init = _serving.post_worker_init
worker_exit = _serving.worker_exit
child_exit = _serving.child_exit
on_exit = _serving.on_exit
