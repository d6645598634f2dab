"""Pages of a server that `run_web.py --dev` runs: they load again after a change, and show what is wrong with it."""

from typing import Any

from flask import Flask

from chassis.base import development
from chassis.extensions import socketio


def install(app: Flask) -> None:
    """Add the script to every page, and the event that it asks for the state, if this server is for development."""
    state = development.current()
    if state is None:
        return

    @app.context_processor
    def script() -> dict[str, Any]:
        return {"development": state.read()}

    @socketio.on("dev:state")
    def changed() -> dict[str, Any]:
        """Return the number of the last change, and what is wrong with it; only in development."""
        return dict(state.read())
