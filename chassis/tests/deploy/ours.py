"""Parts of deploy/ that a service may delete, each by itself and with its section of docs/deploy.md."""

import pytest

from chassis.tests.conftest import ROOT


def needs(path: str) -> pytest.MarkDecorator:
    """Return a mark for the tests of a part; without it they have nothing to test."""
    return pytest.mark.skipif(not (ROOT / path).exists(), reason=f"tests {path}, which was deleted")
