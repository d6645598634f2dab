"""What a node says about Redis and the other nodes; the application replaces it by what it does with that."""


class Watch:
    """Does nothing with what it is told."""

    def up(self) -> None:
        """Redis carries this node's messages."""

    def down(self, reason: str) -> None:
        """Redis does not; told at each attempt."""

    def delay(self, seconds: float) -> None:
        """A message came back from Redis after this time."""

    def late(self, count: int) -> None:
        """So many messages arrived after a gap."""

    def lost(self, count: int) -> None:
        """So many messages, or more, of another node never arrive here."""

    def gone(self) -> None:
        """Another node fell silent without a farewell; what it published last may never arrive here."""
