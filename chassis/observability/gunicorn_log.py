"""gunicorn's log lines go where all others go."""

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
    """Hands gunicorn's lines to the root logger; the access log is the application's own."""

    def setup(self, cfg: Any) -> None:
        """Attach nothing here, so that no line comes twice."""
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), logging.INFO)
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True
        self.error_log.handlers[:] = []
        self._files = {number: path for number in (1, 2) if (path := _log_file(number))}

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Say nothing: chassis.observability.requests does, with the request id."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Say what is wrong with a malformed request, not what was sent: a header without its colon may hold a key."""
        super().warning(SENT.sub("", msg) if msg.startswith("Invalid request") else msg, *args, **kwargs)

    def reopen_files(self) -> None:
        """Go on in new files where logrotate has moved LOG_FILE away, or what standard output or error is."""
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
    """Return the file that a descriptor writes to, where it is one and the system tells."""
    link = Path(f"/proc/self/fd/{number}")
    try:
        return link.readlink() if stat.S_ISREG(os.fstat(number).st_mode) else None
    except OSError:
        return None
