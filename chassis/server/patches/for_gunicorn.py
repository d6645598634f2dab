"""Patches of gunicorn: limits for request heads and chunks, the name of our worker, less work for each request.

Tested with the version of gunicorn in guard.TESTED.
"""

import time
from functools import lru_cache
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
    """Limit heads, trailers and chunk framing of all requests from now on."""
    if guard.fits("gunicorn", WIDE, *BOUNDS):
        from chassis.server.patches import framing

        framing.bound()


def name_worker(name: str, path: str) -> None:
    """Make `--worker-class NAME` select the worker with that path."""
    loss = f"Remove --worker-class {name}, which is not supported; use ASYNC_MODE={name}."
    if guard.fits("gunicorn", loss, "gunicorn.workers:SUPPORTED_WORKERS"):
        from gunicorn.workers import SUPPORTED_WORKERS

        SUPPORTED_WORKERS[name] = path


def look_settings_up_once(cfg: Any) -> None:
    """Keep gunicorn's settings as attributes: each request reads about thirty, through three calls each."""
    if guard.object_fits("gunicorn", "A request takes a little longer.", cfg, "settings", "__dict__"):
        vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})


def format_dates_once_a_second() -> None:
    """Keep the text of the Date header for a second: gunicorn formats it for each response."""
    if guard.fits("gunicorn", "A request takes a little longer.", "gunicorn.util:http_date(timestamp)"):
        from gunicorn import util

        kept = lru_cache(maxsize=1)(util.http_date)
        util.http_date = lambda timestamp=None: kept(int(time.time() if timestamp is None else timestamp))


def trust_no_peer(cfg: Any) -> None:
    """Skip gunicorn's check whether a peer may send the headers that it trusts, when there are no such headers.

    The check parses the client's address for each request.
    """
    loss = "A request takes a little longer."
    needed = "gunicorn.http.message:HeaderPolicy._peer_trusted_for_forwarded(self)"
    if not (cfg.secure_scheme_headers or cfg.forwarder_headers) and guard.fits("gunicorn", loss, needed):
        from gunicorn.http.message import HeaderPolicy

        HeaderPolicy._peer_trusted_for_forwarded = lambda _request: ({}, [])
