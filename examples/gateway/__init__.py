"""Gateway: one address before many model servers, in OpenAI's protocol."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the page, the work of each worker and the rows that are deleted by age."""
    from app.features.gateway import admin_api, gateway, live, openai_api, pages, retention

    hooks.pages(admin_api.blueprint, openai_api.blueprint, pages.blueprint)
    hooks.program_path("/v1/")
    hooks.program_path("/admin/stats")
    hooks.navigation("Gateway", "/gateway")
    gateway.connect(hooks)
    live.connect()
    retention.connect(hooks)
