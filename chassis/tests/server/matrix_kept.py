"""What the matrix application has seen, and its handlers that wait for the test."""

import threading

seen: list = []
held: list[threading.Event] = []


def hold():
    """Wait for the test to let it go on."""
    held.append(gate := threading.Event())
    gate.wait()
