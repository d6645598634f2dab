"""The plugins of every pytest run: order, failures, marks for tests with servers, groups, shared servers, fixtures."""

pytest_plugins = [
    "chassis.tests.suite.order",
    "chassis.tests.suite.failures",
    "chassis.tests.suite.database",
    "chassis.tests.suite.fast",
    "chassis.tests.suite.groups",
    "chassis.tests.suite.sharing",
    "chassis.tests.suite.feature",
]
