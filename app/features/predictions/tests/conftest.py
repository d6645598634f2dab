"""The project's shared fixtures."""

from tests.conftest import fake_upstream, page, same_in_every_mode, serve, tool, wait_for

__all__ = ["fake_upstream", "page", "serve", "tool", "wait_for"]


def pytest_collection_modifyitems(items):
    """Leave out, where another ASYNC_MODE is tried, all but the batches and their page."""
    for item in items:
        if "predictions/tests" in str(item.path) and item.path.name not in ("test_batch.py", "test_browser.py"):
            item.add_marker(same_in_every_mode)
