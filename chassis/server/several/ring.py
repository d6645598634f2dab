"""The messages of all workers in one order, in memory that they share; the oldest make room for new ones."""

import contextlib
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chassis.base import held
from chassis.base.concurrency import original
from chassis.base.environment import workers_folder

FILE = "messages"
BYTES = 8 * 1024 * 1024
MAX_MESSAGE_BYTES = BYTES // 4
AT_ONCE_BYTES = 256 * 1024  # are copied under the lock, which holds up all other workers
PLACE = struct.Struct("Q")  # of the head: end of the last message, begin of the first one, the last one's number
END, BEGIN, LAST = 0, PLACE.size, 2 * PLACE.size
HEAD_BYTES = 64
RETRY_SECONDS = 1.0  # after a wait for a lock whose holder is stopped, in which the whole worker stood still
FRAME = struct.Struct("IQ")  # before each message: its length and its number


class Message(NamedTuple):
    """A message and its number; numbers grow by one for each message of the service."""

    number: int
    text: bytes


def create(folder: Path) -> None:
    """Reserve the memory; raise OSError if there is not enough, since writing to it would end the process."""
    file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(file, 0, HEAD_BYTES + BYTES)
    finally:
        os.close(file)


def check(text: bytes) -> None:
    """Raise ValueError if a message is too large."""
    if len(text) > MAX_MESSAGE_BYTES:
        raise ValueError(f"A message between workers may have {MAX_MESSAGE_BYTES:,} bytes, not {len(text):,}.")


class Ring:
    """One worker's view of the messages: it appends, and reads from where it stopped.

    The lock is the file's, which the system releases if its holder dies. If its holder is stopped, both raise
    TimeoutError. A message that its writer did not finish is never seen, since the end is written last.
    """

    def __init__(self) -> None:
        self._file = os.open(Path(workers_folder(), FILE), os.O_RDWR)
        self._memory = mmap.mmap(self._file, HEAD_BYTES + BYTES)
        self._mine = original("threading", "Lock")()  # no code inside it yields, so a real lock is safe
        self._read_to = self._place(BEGIN)
        self._shut_until = 0.0
        self.lost = 0  # number of the newest message that was overwritten before this worker read it

    def append(self, text: bytes) -> int:
        """Append a message, which `check` allows, and return its number."""
        with self._locked():
            end, number = self._place(END), self._place(LAST) + 1
            framed = FRAME.pack(len(text), number) + text
            self._make_room(end + len(framed))
            self._put(end, framed)
            self._set(LAST, number)
            self._set(END, end + len(framed))
        return number

    def read(self) -> list[Message]:
        """Return the next messages, or [] if there are none."""
        if self._place(END) == self._read_to:
            return []
        with self._locked():
            begin = self._place(BEGIN)
            if self._read_to < begin:
                self.lost, self._read_to = self._frame(begin)[1] - 1, begin
            data = self._get(self._read_to, min(self._place(END) - self._read_to, AT_ONCE_BYTES))
            if len(data) > FRAME.size and (size := FRAME.unpack_from(data)[0] + FRAME.size) > len(data):
                data = self._get(self._read_to, size)
        messages = list(_unpacked(data))
        self._read_to += sum(FRAME.size + len(message.text) for message in messages)
        return messages

    def _make_room(self, end: int) -> None:
        begin = self._place(BEGIN)
        while end - begin > BYTES:
            begin += FRAME.size + self._frame(begin)[0]
            self._set(BEGIN, begin)

    def _frame(self, place: int) -> tuple[int, int]:
        length, number = FRAME.unpack(self._get(place, FRAME.size))
        return length, number

    def _get(self, place: int, size: int) -> bytes:
        start = HEAD_BYTES + place % BYTES
        data = self._memory[start : start + size]
        rest = size - len(data)
        return data + self._memory[HEAD_BYTES : HEAD_BYTES + rest] if rest else data

    def _put(self, place: int, data: bytes) -> None:
        start = HEAD_BYTES + place % BYTES
        fits = min(len(data), HEAD_BYTES + BYTES - start)
        self._memory[start : start + fits] = data[:fits]
        self._memory[HEAD_BYTES : HEAD_BYTES + len(data) - fits] = data[fits:]

    def _place(self, which: int) -> int:
        return int(PLACE.unpack_from(self._memory, which)[0])

    def _set(self, which: int, place: int) -> None:
        PLACE.pack_into(self._memory, which, place)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._mine:
            self._lock()
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _lock(self) -> None:
        if time.monotonic() < self._shut_until:
            raise TimeoutError
        try:
            held.wait(self._take, "the lock of the messages")
        except TimeoutError:
            self._shut_until = time.monotonic() + RETRY_SECONDS
            raise

    def _take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _unpacked(data: bytes) -> Iterator[Message]:
    place = 0
    while place + FRAME.size <= len(data):
        length, number = FRAME.unpack_from(data, place)
        place += FRAME.size
        if place + length > len(data):  # the rest is read next
            return
        yield Message(number, data[place : place + length])
        place += length
