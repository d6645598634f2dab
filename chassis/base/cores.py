"""Counts the cores that this process may use."""

import os
from math import ceil
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of work in each period, or `max`


def usable_cores() -> int:
    """Return the number of cores that this process may use, within its container's quota; at least 1."""
    mask = getattr(os, "sched_getaffinity", None)
    cores = len(mask(0)) if mask else os.cpu_count() or 1
    return max(1, min(cores, ceil(_quota() or cores)))


def _quota() -> float:
    """Return the container's quota in cores, or 0 if there is none."""
    try:
        granted, period = QUOTA.read_text().split()
        return int(granted) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return 0.0
