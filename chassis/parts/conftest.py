"""The tests of a part that the service leaves out are left out too: they ask for what is not there."""

from pathlib import Path

from chassis.base.service import current

collect_ignore = [
    folder.name for folder in Path(__file__).parent.iterdir() if folder.is_dir() and folder.name not in current().parts
]
