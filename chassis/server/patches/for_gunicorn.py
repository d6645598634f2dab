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
    "gunicorn.http.unreader:SocketUnreader.max_body_chunk",
)
READ_AHEAD_BYTES = 65_536  # of a body; a megabyte, gunicorn's own, is 500 MB for 500 uploads at once
WIDE = "Request headers and chunks have only gunicorn's own limits, which are wide."
SLOWER = "A request takes a little longer."
Header = tuple[str, str]

same_headers: set[Header] = set()  # those that most responses have


def bound_requests() -> None:
    """Limit heads, trailers and chunk framing of all requests from now on."""
    if guard.fits("gunicorn", WIDE, *BOUNDS):
        from gunicorn.http.unreader import SocketUnreader

        from chassis.server.patches import framing

        framing.bound()
        SocketUnreader.max_body_chunk = READ_AHEAD_BYTES


def name_worker(name: str, path: str) -> None:
    """Make `--worker-class NAME` select the worker with that path."""
    loss = f"Remove --worker-class {name}, which is not supported; use ASYNC_MODE={name}."
    if guard.fits("gunicorn", loss, "gunicorn.workers:SUPPORTED_WORKERS"):
        from gunicorn.workers import SUPPORTED_WORKERS

        SUPPORTED_WORKERS[name] = path


def look_settings_up_once(cfg: Any) -> None:
    """Keep gunicorn's settings as attributes: each request reads about thirty, through three calls each."""
    if guard.object_fits("gunicorn", SLOWER, cfg, "settings", "__dict__"):
        vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})


def format_dates_once_a_second() -> None:
    """Keep the text of the Date header for a second: gunicorn formats it for each response."""
    if guard.fits("gunicorn", SLOWER, "gunicorn.util:http_date(timestamp)"):
        from gunicorn import util

        kept = lru_cache(maxsize=1)(util.http_date)
        util.http_date = lambda timestamp=None: kept(int(time.time() if timestamp is None else timestamp))


def trust_no_peer(cfg: Any) -> None:
    """Skip gunicorn's check whether a peer may send the headers that it trusts, when there are no such headers.

    The check parses the client's address for each request.
    """
    needed = "gunicorn.http.message:HeaderPolicy._peer_trusted_for_forwarded(self)"
    if not (cfg.secure_scheme_headers or cfg.forwarder_headers) and guard.fits("gunicorn", SLOWER, needed):
        from gunicorn.http.message import HeaderPolicy

        HeaderPolicy._peer_trusted_for_forwarded = lambda _request: ({}, [])


def check_same_headers_once() -> None:
    """Check `same_headers` now, instead of in each response that has them; the rest of a response comes first then."""
    if guard.fits("gunicorn", SLOWER, "gunicorn.http.wsgi:Response.process_headers(self, headers)"):
        from gunicorn.http.wsgi import Response

        check = Response.process_headers
        good = frozenset(header for header in same_headers if _is_sent_as_it_is(header))

        def process_headers(response: Any, headers: list[Header]) -> None:
            check(response, [header for header in headers if header not in good])
            response.headers += [header for header in headers if header in good]

        Response.process_headers = process_headers


def _is_sent_as_it_is(header: Header) -> bool:
    """Return whether gunicorn sends a header as it is, and nothing of the response depends on it."""
    from gunicorn.http.wsgi import Response

    response = Response(None, None, None)
    expected = vars(response) | {"headers": [header]}
    response.process_headers([header])
    return bool(vars(response) == expected)
