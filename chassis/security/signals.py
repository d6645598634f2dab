"""The signals of this room."""

from blinker import Signal

rights_changed = Signal("Keys, sessions or accounts were changed in this process, and the transaction is committed.")
