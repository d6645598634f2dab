"""What a proof saw, line by line, as it happens and as a table at the end."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Line:
    """One step: what was done, what was seen, how long it took."""

    way: str
    step: str
    seen: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failed: bool = False

    def see(self, what: str) -> None:
        """Add a finding to the line."""
        self.seen.append(what)


class Report:
    """Collects the steps of all proofs."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    @contextlib.contextmanager
    def step(self, way: str, step: str) -> Iterator[Line]:
        """Time a step; what it raises makes it a failed one and goes on to the caller."""
        line, started = Line(way, step), time.monotonic()
        self.lines.append(line)
        print(f"{way}: {step} ...", flush=True)
        try:
            yield line
        except BaseException as error:
            line.failed = True
            line.see(f"FAILED: {type(error).__name__}: {error}")
            raise
        finally:
            line.seconds = time.monotonic() - started
            print(f"  {'; '.join(line.seen) or 'done'} ({line.seconds:.1f} s)", flush=True)

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return any(line.failed for line in self.lines)

    def table(self) -> str:
        """Return all as a Markdown table."""
        rows = [
            f"| {line.way} | {line.step} | {'; '.join(line.seen) or 'ok'} | {line.seconds:.1f} |" for line in self.lines
        ]
        return "\n".join(["| way | step | seen | seconds |", "|---|---|---|---:|", *rows])
