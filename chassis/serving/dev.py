"""`run_web.py --dev`: restarts the server when code changes, keeps it when the new code does not load, and says so.

This process holds the listening socket, so that requests wait while the server restarts. Before a restart another
process tries whether the code loads. If it does not, the old server goes on, and open pages show the traceback; without
an old server this process answers with it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from chassis import features
from chassis.base import smtp_url
from chassis.base.development import STATE_FILE, State
from chassis.base.environment import BASE_DIR, read_environment, sources
from chassis.server.control import ControlError
from chassis.serving.apology import Apology
from chassis.serving.watching import Watch

LOOK_SECONDS = 0.3
MAIL = "SMTP_URL"


class Development:
    """A server that is restarted when its code changes."""

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        self._listener, self._state = listener, State(folder / "state.json")
        self._server: subprocess.Popen[bytes] | None = None
        self._apology: Apology | None = None
        self._watch = Watch(BASE_DIR)

    def serve(self) -> None:
        """Serve until this process is told to end."""
        try:
            self._restart()
            while True:
                time.sleep(LOOK_SECONDS)
                changed = self._watch.changed()
                if any(path.suffix == ".py" or path.name.startswith(".env") for path in changed):
                    _say(f"{_names(changed)} changed")
                    self._restart()
                elif changed:
                    self._state.write(str(self._state.read()["error"]))
                elif self._server is not None and self._server.poll() is not None:
                    self._server = None
                    self._fail("The server has ended; the lines above say why. It starts again when code changes.")
        finally:
            self._stop()

    def _restart(self) -> None:
        """Restart the server if the code loads."""
        checked = subprocess.run(
            [sys.executable, "run_web.py", "--check"], cwd=BASE_DIR, capture_output=True, text=True, check=False
        )
        if checked.returncode:
            self._fail(checked.stderr.strip() or f"The check ended with {checked.returncode}.")
            return
        self._stop()
        self._state.write("")
        number = self._listener.fileno()
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "--bind", f"fd://{number}", "wsgi:app"]
        self._server = subprocess.Popen(command, cwd=BASE_DIR, pass_fds=[number], env=self._environment())

    def _environment(self) -> dict[str, str]:
        """Return the server's environment, in which e-mail is printed unless SMTP_URL is set."""
        mail = {} if sources([MAIL]) else {MAIL: smtp_url.TERMINAL}
        return {**os.environ, **mail, STATE_FILE: str(self._state.path)}

    def _fail(self, error: str) -> None:
        """Show an error in the terminal and in the browser."""
        _say(f"{error}\nWaiting for a change ...")
        self._state.write(error)
        if self._server is None and self._apology is None:
            self._apology = Apology(self._listener, self._state)

    def _stop(self) -> None:
        if self._apology is not None:
            self._apology.stop()
            self._apology = None
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGTERM)
            self._server.wait()
        self._server = None


def run() -> int:
    """Serve for development until Ctrl+C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    host, port = _address()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ControlError(f"The server cannot listen on {host}, port {port}: {error.strerror}.") from None
    with listener:
        _say(f"Development: http://{host}:{port}, Ctrl+C ends it")
        with TemporaryDirectory(prefix="dev-") as folder:
            try:
                Development(listener, Path(folder)).serve()
            except KeyboardInterrupt:
                _say("Stopped.")
    return 0


def _address() -> tuple[str, int]:
    """Return where to listen; when the code or a setting is wrong, which the first check tells, the usual place."""
    try:
        settings = features.load()
    except Exception:
        given, _ = read_environment(["HOST", "PORT"])
        return given.get("HOST") or "127.0.0.1", int(port) if (port := given.get("PORT", "")).isdecimal() else 5000
    return settings.host, settings.port


def _names(paths: list[Path]) -> str:
    return ", ".join(str(path.relative_to(BASE_DIR)) for path in paths[:3]) + (" ..." if len(paths) > 3 else "")


def _say(sentence: str) -> None:
    print(f"[dev] {sentence}", file=sys.stderr, flush=True)  # noqa: T201
