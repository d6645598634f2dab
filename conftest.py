"""What every run of pytest has: an order, a record of failures, marks of what starts servers, shared servers."""

pytest_plugins = ["tests.suite.order", "tests.suite.failures", "tests.suite.fast", "tests.suite.sharing"]
