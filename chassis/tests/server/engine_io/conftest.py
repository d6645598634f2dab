"""Sessions by long polls, with the fast transport."""

import pytest

from chassis.tests.server.wire import Polling


@pytest.fixture
def polling(fast):
    """A session by long polls, in no namespace yet."""
    return Polling(fast.port)


@pytest.fixture
def joined(fast):
    """A session by long polls in the main namespace."""
    return Polling(fast.port, joined=True)
