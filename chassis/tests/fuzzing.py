"""How the property tests are run: the same examples at each run, more of them for FUZZ_EXAMPLES; new ones for FUZZ_NEW.

A change is judged by what it changed: `make test` and `make test-all` draw no lots. `make fuzz` does.
"""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 25))
NEW = "FUZZ_NEW" in os.environ

# No deadline: a slow moment of a shared machine is no finding. A failure of a random run prints how to repeat it.
fuzz = settings(
    max_examples=EXAMPLES,
    derandomize=not NEW,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
