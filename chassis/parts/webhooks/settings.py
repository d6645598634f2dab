"""The webhooks' own settings."""

import re

from pydantic import Field

from chassis.settings import Networks, Section

PREFIX = "whsec_"
SECRET = re.compile(r"\bwhsec_[A-Za-z0-9+/=]{20,}")


class WebhookSettings(Section):
    """Webhooks"""

    webhooks: bool = Field(
        False, description="Let owners register addresses that are called when their jobs end (/api/webhooks)."
    )
    webhook_allow: Networks = Field(
        (), description="Private networks that webhooks may call, for example `10.1.0.0/16`."
    )
    webhook_timeout_seconds: float = Field(10, gt=0, le=60, description="A call that takes longer fails.")
    webhook_give_up_days: float = Field(
        3, gt=0, le=30, description="A webhook whose calls have all failed for this long is disabled."
    )
    webhooks_per_owner: int = Field(10, ge=1, le=1_000, description="Maximum webhooks per owner.")
