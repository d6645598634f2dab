"""Profiles this process while it runs: a real thread listens on a local socket and samples the stacks on request.

It needs no signal, no ptrace permission and no database, and it answers while the hub is stuck. Under eventlet the
thread must not log, count or take a lock that green threads share.
"""

import contextlib
import json
import linecache
import os
import re
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from chassis.base.concurrency import current_mode, original
from chassis.base.environment import BASE_DIR
from chassis.base.service import current

LISTENING = re.compile(r"(?<![\w-])([\w-]*profile-)(\d+)")  # the name of a process that listens
LINUX = sys.platform == "linux"
INTERVAL_SECONDS = 0.01
SWITCH_SECONDS = 0.0005  # otherwise code that never waits is seen only where it releases the interpreter's lock
LONGEST_SECONDS = 600.0
PATIENCE_SECONDS = 60.0  # for the answer of a busy process
FRAMES = 200
MAIN = "main thread"
WAITS = re.compile(r"(?<![a-z])(?:sleep|wait|acquire|select|poll|accept|recv\w{0,9}|loop\.run|queue\.get|_reqq\.get)\(")
NUMBER_OF_THREAD = re.compile(r"[-_ ]\d.*")
PACKAGES = re.compile(r"^.*/(?:site-packages|lib/python[\d.]+)/")
Stack = tuple[str, ...]
_listening: set[int] = set()


def prefix() -> str:
    """Return what the names of this service's listening processes begin with."""
    return f"{current().slug}-profile-"


def address(pid: int) -> str:
    """Return where a process listens: on Linux a name outside of the file system, which no private /tmp hides."""
    name = f"{prefix()}{pid}"
    return f"\0{name}" if LINUX else str(Path(tempfile.gettempdir()) / name)


def processes() -> list[int]:
    """Return the pids of all processes of this service here that listen."""
    found = Path("/proc/net/unix").read_text() if LINUX else " ".join(map(str, Path(tempfile.gettempdir()).iterdir()))
    return sorted({int(pid) for name, pid in LISTENING.findall(found) if name == prefix()})


def listen() -> None:
    """Start listening for `flask profile`, once per process; where that fails, the process continues without it."""
    if os.getpid() in _listening:
        return
    _listening.add(os.getpid())
    server = original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not LINUX:
            Path(address(os.getpid())).unlink(missing_ok=True)
        server.bind(address(os.getpid()))
        if not LINUX:
            Path(address(os.getpid())).chmod(0o600)
        server.listen(1)
    except OSError:
        server.close()
        return
    original("_thread", "start_new_thread")(_serve, (server, Sampler()))


def ask(pid: int, seconds: float) -> dict[str, Any]:
    """Return a process's profile; raise OSError when the process cannot be reached or cannot answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(seconds + PATIENCE_SECONDS)
        client.connect(address(pid))
        client.sendall(json.dumps({"seconds": seconds}).encode() + b"\n")
        with client.makefile() as answer:
            text = answer.read()
    found: dict[str, Any] = json.loads(text) if text else {"error": "it ended before it answered"}
    if "error" in found:
        raise OSError(found["error"])
    return found


class Sampler:
    """Samples each thread's position a hundred times a second; under a hub that is the running green thread's."""

    def __init__(self) -> None:
        self._sleep = original("time", "sleep")
        self._main = original("_thread", "get_ident")()
        self._waiting: dict[tuple[str, int], bool] = {}

    def profile(self, seconds: float) -> dict[str, Any]:
        """Return the sampled stacks, each with whether it was waiting and its number of samples."""
        began, computed, own = time.monotonic(), time.process_time(), original("_thread", "get_ident")()
        seen: Counter[tuple[Stack, bool]] = Counter()
        samples, switch = 0, sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            while time.monotonic() - began < seconds:
                self._sleep(INTERVAL_SECONDS)
                samples += 1
                seen.update(self._stack(i, frame) for i, frame in sys._current_frames().items() if i != own)
        finally:
            sys.setswitchinterval(switch)
        return {
            "pid": os.getpid(),
            "mode": current_mode(),
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - computed,
            "samples": samples,
            "stacks": [[stack, waiting, count] for (stack, waiting), count in seen.items()],
        }

    def _stack(self, thread: int, leaf: FrameType) -> tuple[Stack, bool]:
        """Return a thread's functions from the outermost inwards, and whether the last one is waiting."""
        names: list[str] = []
        frame: FrameType | None = leaf
        while frame is not None and len(names) < FRAMES:
            names.append(_label(frame.f_code))
            frame = frame.f_back
        place = (leaf.f_code.co_filename, leaf.f_lineno or leaf.f_code.co_firstlineno)  # some instructions have no line
        if place not in self._waiting:
            self._waiting[place] = WAITS.search(linecache.getline(*place)) is not None
        return (self._name(thread), *reversed(names)), self._waiting[place]

    def _name(self, thread: int) -> str:
        if thread == self._main:
            return MAIN
        known = threading._active.get(thread)  # type: ignore[attr-defined]  # `enumerate` would take a green lock
        return NUMBER_OF_THREAD.sub("", known.name) if known else "a thread"


def _serve(server: Any, sampler: Sampler) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with contextlib.closing(connection), contextlib.suppress(OSError):  # the client may have disconnected
            connection.settimeout(5)
            connection.sendall(json.dumps(_answer(connection, sampler)).encode())


def _answer(connection: Any, sampler: Sampler) -> dict[str, Any]:
    """Return a profile, or an error message: no exception may end this thread."""
    try:
        if _user(connection) not in (0, os.geteuid()):
            return {"error": "it belongs to another user"}
        asked = json.loads(connection.recv(1000))
        return sampler.profile(min(float(asked["seconds"]), LONGEST_SECONDS))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _user(connection: Any) -> int:
    """Return the user id of the client; except on Linux the socket's mode keeps other users out."""
    if not LINUX:
        return os.geteuid()
    size = struct.calcsize("3i")
    _pid, user, _group = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(user)


@lru_cache(4096)
def _label(code: CodeType) -> str:
    """Return a function's name and its file's path, relative to the project's folder or its package's."""
    return f"{code.co_qualname} ({_short(code.co_filename)}:{code.co_firstlineno})"


def _short(path: str) -> str:
    return PACKAGES.sub("", path.removeprefix(f"{BASE_DIR}/"))
