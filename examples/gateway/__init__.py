"""Gateway: one address before many model servers, in OpenAI's protocol."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the page, the work of each worker, and whose calls are logged and for how long."""
    from app.features.gateway import admin_api, live, openai_api, upkeep
    from app.features.gateway.settings import retention_days
    from app.features.gateway.tables import calls
    from chassis.db import older
    from chassis.security import leaving

    hooks.pages(admin_api.blueprint, openai_api.blueprint, live.blueprint)
    hooks.program_path("/v1/")
    hooks.program_path("/admin/stats")
    hooks.navigation("Gateway", "/gateway")
    hooks.leaving(leaving.owned(calls, "calls of models"))
    hooks.retain("gateway_calls", retention_days, older(calls.c.at))
    live.connect()
    upkeep.connect(hooks)
