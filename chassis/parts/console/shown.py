"""What the console's views share: the navigation, pages, and data under the same URL for scripts."""

from typing import Any

from flask import Response, jsonify, make_response, render_template, request

from chassis.parts.console import stats
from chassis.wiring import Link

HTML, JSON = "text/html", "application/json"
PAGES = (
    Link("Overview", "/admin/console"),
    Link("Jobs", "/admin/console/jobs"),
    Link("Schedules and backups", "/admin/console/schedules"),
    Link("Upstream", "/admin/console/upstream"),
    Link("People and keys", "/admin/console/people"),
    Link("Settings", "/admin/console/settings"),
)


def page(name: str, **values: Any) -> Response:
    """Return one of the console's pages, which begins with the health that scripts keep up to date."""
    health = stats.readiness()
    health["failing"] = [name for name, check in health["checks"].items() if not check["ok"]]
    text = render_template(f"console/{name}.html", console_pages=PAGES, health=health, **values)
    return _by_accept(make_response(text))


def data(**values: Any) -> Response:
    """Return JSON, from a URL that may also be a page's."""
    return _by_accept(jsonify(**values))


def wants_page() -> bool:
    """Return whether the client asks for a page, as a browser does, rather than for data."""
    return request.accept_mimetypes.best_match([JSON, HTML], default=JSON) == HTML


def _by_accept(response: Response) -> Response:
    response.vary.add("Accept")
    return response
