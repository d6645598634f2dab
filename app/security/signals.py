"""What the room tells others."""

from blinker import Signal

rights_taken = Signal("Somebody's rights were taken away in this process, and the transaction is committed.")
