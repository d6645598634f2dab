"""Patches of gunicorn: bounds of what surrounds a request, the name of our worker, settings that are looked up once.

Tested with the version of gunicorn in guard.TESTED.
"""

from typing import Any

from chassis.server.patches import guard

BOUNDS = (
    "gunicorn.http.body:ChunkedReader.parse_chunk_size(self, unreader, data)",
    "gunicorn.http.message:ChunkedReader(req, unreader)",
    "gunicorn.http.message:Message",
    "gunicorn.http.errors:InvalidChunkSize",
)
WIDE = "Request headers and chunks have only gunicorn's own limits, which are wide."


def bound_requests() -> None:
    """Bound heads, trailers and frames of chunks in every request from now on."""
    if guard.fits("gunicorn", WIDE, *BOUNDS):
        from chassis.server.patches import framing

        framing.bound()


def name_worker(name: str, path: str) -> None:
    """Let `--worker-class NAME` mean the worker with that path."""
    loss = f"Remove --worker-class {name}, which is not supported; use ASYNC_MODE={name}."
    if guard.fits("gunicorn", loss, "gunicorn.workers:SUPPORTED_WORKERS"):
        from gunicorn.workers import SUPPORTED_WORKERS

        SUPPORTED_WORKERS[name] = path


def look_settings_up_once(cfg: Any) -> None:
    """Keep gunicorn's settings as attributes: it looks some thirty up for each request, through three calls each."""
    if guard.object_fits("gunicorn", "A request takes a little longer.", cfg, "settings", "__dict__"):
        vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})
