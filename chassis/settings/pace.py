"""Where the pace of the outside API is kept, and by how much several processes may exceed it."""

from chassis.settings.core import Settings

FIX = "Set REDIS_URL, or divide UPSTREAM_REQUESTS_PER_SECOND by their number."


def excess(settings: Settings) -> str:
    """Return what several machines or processes start together, or "" if one pace holds for all; a sentence's rest.

    How many there are is unknown here. The workers of one machine always keep one pace.
    """
    if settings.redis_url.get_secret_value() or not settings.openrouter_api_key.get_secret_value():
        return ""
    if settings.jobs_embedded and settings.sqlite_path:  # all on one machine
        return ""
    each = "each machine" if settings.jobs_embedded else "each `flask jobs work`"
    twice = 2 * settings.upstream_requests_per_second
    return f"holds for {each} by itself without REDIS_URL: two start up to {twice:g} calls per second"
