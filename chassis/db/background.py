"""The periodic work that features registered, in a worker."""

import threading

from flask import Flask

from chassis.db.ticker import DatabaseTicker
from chassis.wiring import Periodic


class Repeated(DatabaseTicker):
    """Repeats one feature's work in the application's context, and does it a last time at the stop."""

    def __init__(self, app: Flask, periodic: Periodic) -> None:
        super().__init__(periodic.name, periodic.every_seconds)
        self._app, self._work = app, periodic.work
        self._working = threading.Lock()  # a call may be in progress at the stop

    def tick(self) -> None:
        """Do the work once."""
        with self._working, self._app.app_context():
            self._work()

    def stop(self) -> None:
        """Stop, and do the work once more."""
        super().stop()
        try:
            self.tick()
        except Exception as error:
            self.failed(error)
