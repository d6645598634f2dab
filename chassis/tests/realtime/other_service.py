"""The live application as a service with another name."""

import app as package
from chassis.service import Service

package.service = Service(name="Another Service", version="1.0.0", parts=package.service.parts)

from live_app import app  # noqa: E402 - the name comes first

__all__ = ["app"]
