"""The states in which each page is looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """A state of the service, of the visitor or of the browser."""

    name: str
    data: bool = True  # the demo data of `flask seed`, and what its jobs made
    signed_in: bool = True
    scripts: bool = True
    refused: str = ""  # a pattern of URLs that the browser gets no good answer to


STATES = (
    State("empty", data=False),
    State("data"),
    State("error", refused="**/api/**"),
    State("offline", refused="**/socket.io*.js"),
    State("without-scripts", scripts=False),
    State("signed-out", signed_in=False),
)
VIEWS: dict[str, dict[str, object]] = {
    "desktop": {"size": {"width": 1280, "height": 800}, "colours": "light"},
    "phone": {"size": {"width": 390, "height": 844}, "colours": "light"},
    "dark": {"size": {"width": 1280, "height": 800}, "colours": "dark"},
}
