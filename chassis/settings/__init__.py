"""Settings: sections that declare them, the current settings, and types that read environment variables."""

from chassis.settings.core import Settings
from chassis.settings.keys import listed, weaknesses
from chassis.settings.packages import installed, needed
from chassis.settings.section import Problem, Section
from chassis.settings.types import CommaList, Cron, Network, Networks, Origins, Proxies, Proxy, Rates, TimeZone

__all__ = [
    "CommaList",
    "Cron",
    "Network",
    "Networks",
    "Origins",
    "Problem",
    "Proxies",
    "Proxy",
    "Rates",
    "Section",
    "Settings",
    "TimeZone",
    "installed",
    "listed",
    "needed",
    "weaknesses",
]
