"""The live application as a service with another name."""

from dataclasses import replace

import app as package

package.service = replace(package.service, name="Another Service")

from live_app import app  # noqa: E402 - the name comes first

__all__ = ["app"]
