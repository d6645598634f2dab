"""A pytest plugin for parallel runs: the files of some folders share servers, so one process runs such a folder."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadFileScheduling

FOLDERS_OF = "chassis/tests/server"  # each folder in it is a group


def group_of(path: str) -> str:
    """Return the name of a test file's group, which is the file itself or a folder; the path begins at the root."""
    folder = PurePosixPath(path).parent
    return str(folder) if str(folder.parent) == FOLDERS_OF else path


class ByGroup(LoadFileScheduling):
    """Gives each group to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByGroup | None:
    """Replace `--dist loadfile`."""
    return ByGroup(config, log) if config.getoption("dist", "no") == "loadfile" else None
