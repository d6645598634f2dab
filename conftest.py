"""What every run of pytest has: an order, a record of failures, marks of what starts servers, shared servers."""

pytest_plugins = [
    "chassis.tests.suite.order",
    "chassis.tests.suite.failures",
    "chassis.tests.suite.fast",
    "chassis.tests.suite.sharing",
]
