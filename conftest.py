"""What every run of pytest has: the order of the tests, the record of failures, the fast run's promise."""

pytest_plugins = ["tests.suite.order", "tests.suite.failures", "tests.suite.fast"]
