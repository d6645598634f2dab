"""Signals of this room: a job's row has changed; a job waits to be claimed."""

from blinker import Signal

job_changed = Signal("A job's row changed, here or in another process. sender: the Job as it is now.")
job_queued = Signal("A job was queued in this process. sender: the Job.")
