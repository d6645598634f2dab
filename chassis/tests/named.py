"""The names that tests share: the service's own, by which deploy/ calls it, and the example's."""

import pytest

from chassis.base.service import current
from chassis.tests.servers import ROOT

SLUG = current().slug
EXAMPLE = "predictions"
HAS_EXAMPLE = (ROOT / "app/features" / EXAMPLE).exists()
needs_example = pytest.mark.skipif(not HAS_EXAMPLE, reason="uses the example, which was deleted")
