"""What chassis/docs/security.md promises."""

CPU_MS, MB = 50.0, 20.0  # of a request or event of somebody without credentials
HOLD_MS = 100.0  # the hub's, of anybody's
HASH_MS = 60.0  # of a password, the exception: beside the hub, two at once
STRANGER, KEY = "stranger", "key"
