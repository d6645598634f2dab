"""The console at /admin/console: the service's live state and an operator's actions; it can be deleted, too."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the page, its figures and actions, and the brand in every page's header."""
    from chassis.jobs import lines, undo
    from chassis.parts.console import actions, api, brand_pages, charts, live, operations, pages
    from chassis.parts.console.brand import Brands
    from chassis.parts.console.online import EVERY_SECONDS, Online
    from chassis.parts.console.recorder import Recorder

    brands = Brands()
    hooks.keep(brands)
    lines.install(hooks.settings)
    hooks.brand(lambda: brand_pages.shown(brands))
    hooks.admin_page("Console", "/admin/console", first=True)
    hooks.pages(pages.blueprint, actions.blueprint, operations.blueprint, api.blueprint, brand_pages.blueprint)
    hooks.pages(charts.blueprint)
    hooks.figures(Recorder().take)
    hooks.every(EVERY_SECONDS, "console_online", Online().store)
    hooks.every(undo.EXPIRE_SECONDS, "job_undo", undo.expire)
    live.register(hooks)
