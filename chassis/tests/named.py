"""The names that tests share: the service's own, by which deploy/ calls it, and the example's."""

from chassis.base.environment import BASE_DIR
from chassis.base.service import current

SLUG = current().slug
EXAMPLE = "predictions"
HAS_EXAMPLE = (BASE_DIR / "app/features" / EXAMPLE).exists()
