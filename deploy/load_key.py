"""Runs a command with a key without limits, made with an admin's key and revoked after the command.

    LOAD_KEY=ak_... python deploy/load_key.py URL SECONDS COMMAND...

The command gets the new key as LOAD_KEY. A key without admin rights, or an empty LOAD_KEY, is passed on unchanged: then
the limits apply. The new key is also revoked if the command fails or is interrupted, and expires by itself if this
process is killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from types import FrameType
from typing import Any

import requests

TIMEOUT_SECONDS = 20.0
LEAST_SECONDS, MARGIN_SECONDS = 3_600, 600  # when the command should have ended, its users may still finish a batch
PATH = "/api/admin/load-keys"
INTERRUPTED = 130  # the status that shells use
INTERRUPTIONS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class NoKey(Exception):
    """The reason why no key without limits was made, in a sentence."""


@contextlib.contextmanager
def without_limits(url: str, key: str, seconds: int = 0) -> Iterator[str]:
    """Yield a temporary key without limits, or the given key if it is not an admin's.

    Raises NoKey if the instance refuses an admin's key or does not answer.
    """
    made: dict[str, Any] = {}
    try:
        with _uninterrupted():
            made = _make(url.rstrip("/"), key, max(LEAST_SECONDS, seconds + MARGIN_SECONDS))
        yield made.get("key", key)
    finally:
        if made:
            with _uninterrupted():
                _revoke(url.rstrip("/"), key, made)


def raise_on_signals() -> None:
    """Make SIGTERM and SIGHUP end this process like Ctrl-C, so that it cleans up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay interruptions until the call has ended, so that no key is made without being known here.

    Blocking the signals is not enough: another thread, of which a socket has some, would take them.
    """
    came: list[int] = []
    heard = [number for number in INTERRUPTIONS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def _make(url: str, key: str, seconds: int) -> dict[str, Any]:
    if not key:
        return {}
    try:
        answer = requests.post(
            url + PATH, json={"seconds": seconds}, headers={"X-API-Key": key}, timeout=TIMEOUT_SECONDS
        )
    except requests.RequestException as error:
        raise NoKey(f"{url} does not answer: {error}") from None
    if answer.status_code == 201:
        made: dict[str, Any] = answer.json()
        return made
    said = _error(answer)
    if said.get("code") == "missing_scope":
        _tell("KEY is not an admin key, so the limits of the instance apply.")
        return {}
    raise NoKey(f"No key without limits was created: {answer.status_code} {said.get('message', '')}".strip())


def _revoke(url: str, key: str, made: dict[str, Any]) -> None:
    try:
        answer = requests.delete(f"{url}{PATH}/{made['id']}", headers={"X-API-Key": key}, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
    except requests.RequestException as error:
        ends = datetime.fromisoformat(made["expires_at"]).strftime("%H:%M UTC")
        _tell(f"The key ak_{made['id']} could not be revoked and expires at {ends}: {error}")


def _error(answer: requests.Response) -> dict[str, Any]:
    try:
        found: dict[str, Any] = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _run(command: list[str], key: str) -> int:
    """Run the command in its own process group, pass interruptions on, and return its exit status.

    In the same group the terminal would interrupt it a second time, and then Locust does not shut down gracefully.
    """
    env = os.environ | {"LOAD_KEY": key}
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, process_group=0) as running:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):  # each further interruption is more forceful
            try:
                return running.wait()
            except KeyboardInterrupt:
                running.send_signal(number)
        return running.wait()


def main(url: str, seconds: int, command: list[str]) -> int:
    """Run the command with its key; return its exit status."""
    raise_on_signals()
    try:
        with without_limits(url, os.environ.get("LOAD_KEY", ""), seconds) as key:
            status = _run(command, key)
    except NoKey as error:
        _tell(str(error))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    if len(sys.argv) < 4 or not sys.argv[2].isdecimal():
        sys.exit("Usage: LOAD_KEY=... python deploy/load_key.py URL SECONDS COMMAND...")
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
