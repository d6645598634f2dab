"""What the room tells others."""

from blinker import Signal

rights_changed = Signal("Keys, sessions or accounts were changed in this process, and the transaction is committed.")
