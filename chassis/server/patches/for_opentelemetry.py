"""A patch of OpenTelemetry's SDK: a time limit for the last export.

Tested with the version of opentelemetry-sdk in guard.TESTED.
"""

from typing import Any

from chassis.server.patches import guard

LOSS = "If the collector is unreachable, a process stops only after the SDK's own timeout."


def shut_down(processor: Any, seconds: float) -> None:
    """Send what a batch processor holds, then stop it; its public call waits without limit for a receiver."""
    if guard.object_fits("opentelemetry-sdk", LOSS, processor, "_batch_processor"):
        processor._batch_processor.shutdown(timeout_millis=int(1000 * seconds))
    else:
        processor.shutdown()
