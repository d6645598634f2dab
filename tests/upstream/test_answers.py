"""What a Retry-After header asks for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.upstream.answers import retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0),
        ("99999", 120),
        ("soon", None),
        ("nan", None),
        ("inf", 120),
    ],
)
def test_seconds_are_bounded_and_nonsense_is_ignored(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_a_date_counts_from_now() -> None:
    asked = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert asked is not None and 28 < asked <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
