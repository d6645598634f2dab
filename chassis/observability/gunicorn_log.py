"""Sends gunicorn's log lines to the service's own log."""

import logging
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from chassis.observability import output

SENT = re.compile(r": b?['\"].*", re.DOTALL)


class GunicornLogger(Logger):  # type: ignore[misc]
    """Passes gunicorn's lines to the root logger; the application writes its own access log."""

    def setup(self, cfg: Any) -> None:
        """Attach no handlers, so that no line is written twice."""
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), logging.INFO)
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True
        self.error_log.handlers[:] = []
        self._files = {number: path for number in (1, 2) if (path := _log_file(number))}

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Write nothing: chassis.observability.requests logs each request with its id."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log the problem of a malformed request without its content: a header without a colon may contain a key."""
        super().warning(SENT.sub("", msg) if msg.startswith("Invalid request") else msg, *args, **kwargs)

    def reopen_files(self) -> None:
        """Reopen the log files after logrotate has moved LOG_FILE, or the file behind standard output or error."""
        output.reopen()
        sys.stdout.flush()
        sys.stderr.flush()
        for number, path in self._files.items():
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            except OSError:
                self.exception("The log file cannot be reopened; the old one stays in use.")
                continue
            os.dup2(descriptor, number)
            os.close(descriptor)


def _log_file(number: int) -> Path | None:
    """Return the file that a descriptor writes to, or None when it is not a file or the system does not report it."""
    link = Path(f"/proc/self/fd/{number}")
    try:
        return link.readlink() if stat.S_ISREG(os.fstat(number).st_mode) else None
    except OSError:
        return None
