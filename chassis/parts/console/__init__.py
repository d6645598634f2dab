"""The console at /admin/console: the service's state, live, and what an operator does about it; as deletable as any."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Add the page, its figures and actions, and the brand in every page's header."""
    from chassis.observability import job_lines
    from chassis.parts.console import actions, api, brand_pages, live, operations, pages
    from chassis.parts.console.brand import Brands

    brands = Brands()
    hooks.keep(brands)
    hooks.keep(job_lines.install(hooks.settings))
    hooks.brand(lambda: brand_pages.shown(brands))
    hooks.admin_page("Console", "/admin/console", first=True)
    hooks.pages(pages.blueprint, actions.blueprint, operations.blueprint, api.blueprint, brand_pages.blueprint)
    live.register(hooks)
