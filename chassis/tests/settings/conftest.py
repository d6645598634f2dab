"""The environment of a production instance."""

import pytest

from chassis.base import environment
from chassis.tests.settings.starting import STRONG


@pytest.fixture
def production(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    for name in ("SECRET_KEY", environment.EPHEMERAL_SECRET_KEY, "APP_ENV", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", STRONG)
    return monkeypatch
