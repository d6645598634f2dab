"""Formats log lines: JSON or text, with secrets removed, and each on one line."""

import io
import logging
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import structlog
from structlog.typing import ExcInfo

from chassis.base import jsontext
from chassis.base.service import current
from chassis.observability.redaction import Event, redact_line, redact_names, secret_values
from chassis.settings import Settings

REQUEST_FIELDS = "request_fields"  # attribute of the record that every request logs
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def formatter(
    settings: Settings, *, as_json: bool = False, colors: bool = False, pad: int = 30, more: tuple[Any, ...] = ()
) -> "RedactingFormatter":
    """Return a formatter that redacts secrets; `more` are structlog processors that run before rendering."""
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return RedactingFormatter(
        secrets=secret_values(settings),
        as_json=as_json,
        foreign_pre_chain=[*shared(), _flat],
        processors=[clean, *more, *_rendering(as_json, colors, pad)],
    )


def shared() -> list[Any]:
    """Return the processors that every line passes before it is rendered."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),  # before the level, which a field called `level` must not replace
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact_names,
    ]


def _rendering(as_json: bool, colors: bool, pad: int) -> list[Any]:
    if as_json:
        return [
            _of_service,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=indented_traceback, pad_event_to=pad)
    return [escape_controls, console]


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Removes the settings' own secrets, bearer tokens and URLs' user info from the finished line."""

    def __init__(self, *, secrets: list[str], as_json: bool, **options: Any) -> None:
        super().__init__(**options)
        self._secrets, self._as_json = secrets, as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        fields = getattr(record, REQUEST_FIELDS, None) if self._as_json else None
        line = super().format(record) if fields is None else _line_of(record, fields)
        redacted = redact_line(line, self._secrets)
        return _one_line(redacted) if self._as_json else redacted


def _one_line(line: str) -> str:
    """Return JSON in which characters that some readers take for a line break are escaped."""
    if line.isprintable():  # takes a third of the pattern's time
        return line
    return CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def _flat(_logger: Any, _method: str, event: Event) -> Event:
    """Move the fields of a request's record to the top level of the line."""
    event.update(event.pop(REQUEST_FIELDS, ()))
    return event


def _line_of(record: logging.LogRecord, fields: Event) -> str:
    """Return what the processors would, for the record that every request logs, in a third of the time."""
    bound = structlog.contextvars.get_contextvars()
    event = {"event": record.msg, **redact_names(None, "", bound), **fields}  # whose names are ours, and none is secret
    event["logger"], event["level"], event["service"] = record.name, record.levelname.lower(), _slug()
    second, microseconds = divmod(round(record.created * 1e6), 1_000_000)
    event["timestamp"] = f"{_iso(second)}.{microseconds:06}Z"
    return _encode(event)


def _of_service(_logger: Any, _method: str, event: Event) -> Event:
    """Name the service on the line, which no field of that name may replace."""
    event["service"] = _slug()
    return event


@lru_cache(maxsize=1)
def _slug() -> str:
    return current().slug


@lru_cache(maxsize=2)
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_encode = jsontext.encoder(repr, ascii_only=False, spaces=True)


def escape_controls(_logger: Any, _method: str, event: Event) -> Event:
    """Escape line breaks and terminal control characters, so that input cannot forge a line on the console."""
    event["event"] = str(event.get("event", ""))  # also for an exception that is logged as the event
    for name, value in event.items():
        if isinstance(value, str) and name != "stack" and CONTROL_CHARACTERS.search(value):
            event[name] = _escaped(value.rstrip("\n"))
    return event


def indented_traceback(out: TextIO, raised: ExcInfo) -> None:
    """Write a traceback below its line, without local variables, which may contain secrets.

    Its lines are indented: an exception's message may come from a client, and must not look like a log line.
    """
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, raised)
    for line in plain.getvalue().strip("\n").split("\n"):
        out.write(f"\n  {_escaped(line)}")


def _escaped(text: str) -> str:
    return CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
