"""Starts of the service, and the mistakes that the settings tell."""

import pytest

from chassis.errors import SettingsError
from chassis.features import load

STRONG = "Zk3vQ9xW1mB7nR5tY2uP8sD4fG6hJ0aL-cE"


def problems():
    with pytest.raises(SettingsError) as raised:
        load()
    return dict(raised.value.problems)
