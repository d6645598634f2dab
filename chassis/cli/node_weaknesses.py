"""A check of `flask doctor` for a service of several nodes."""

from collections.abc import Iterator

from chassis.cli.weakness import Weakness
from chassis.settings import Settings
from chassis.upkeep.places import of_one_node

FIXES = {
    "BACKUP_TO": "Name a bucket or a shared folder, or set BACKUP_SCHEDULE=off if something else makes backups.",
    "data": "Mount one folder there on all nodes, if features keep files such as artefacts in it.",
}


def node_folders(settings: Settings) -> Iterator[Weakness]:
    """Look for backups and files that only the node has that made them."""
    for name, folder in of_one_node(settings):
        yield Weakness(name, f"is {folder} on this node alone: other nodes do not see what it writes", FIXES[name])
