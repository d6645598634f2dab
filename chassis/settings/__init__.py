"""Every setting: one file a section, with the environment variable, type, default, help and rules of each."""

from chassis.settings.core import GROUPS, Settings
from chassis.settings.declared import defaults_of, own_fields, sections_of
from chassis.settings.loading import load_settings
from chassis.settings.networks import covers_internet
from chassis.settings.packages import installed
from chassis.settings.secret_key import ensure_secret_key
from chassis.settings.section import Problem, Section
from chassis.settings.types import CommaList, Cron, Network, Networks, Origins, Proxies, Proxy, Rates, TimeZone

__all__ = [
    "GROUPS",
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
    "covers_internet",
    "defaults_of",
    "ensure_secret_key",
    "installed",
    "load_settings",
    "own_fields",
    "sections_of",
]
