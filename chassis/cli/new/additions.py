"""`flask new event` and `flask new job`: a module and a test more in an existing feature."""

from collections.abc import Mapping
from pathlib import Path

from chassis.cli.new.names import check_addition, own_feature
from chassis.cli.new.rendering import rendered
from chassis.errors import BadRequest
from chassis.extensions import socketio
from chassis.jobs import registry

MODULES = {"event": "events_{}.py", "job": "jobs_{}.py"}


def write(what: str, feature: str, name: str) -> list[Path]:
    """Write an `event` or a `job` of a feature and return the files; raise BadRequest before the first one."""
    folder = own_feature(feature)
    check_addition(name)
    _check_free(what, feature, name)
    module = MODULES[what].format(name)
    texts = {
        folder / module: rendered(f"{what}/module.py", {"feature": feature, "name": name}),
        folder / "tests" / f"test_{module}": rendered(
            f"{what}/tests/test_module.py", {"feature": feature, "name": name}
        ),
    }
    for path in texts:
        if path.exists():
            raise BadRequest(f"No file was written. {feature}/{path.relative_to(folder)} exists.")
    _write_all(texts)
    return list(texts)


def _check_free(what: str, feature: str, name: str) -> None:
    if what == "event" and f"{feature}:{name}" in socketio.server.handlers.get("/", {}):
        raise BadRequest(f"No file was written. There is an event {feature}:{name} already.")
    if what == "job" and registry.find(f"{feature}_{name}"):
        raise BadRequest(f"No file was written. There is a kind of jobs {feature}_{name} already.")


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write the files, or none if one cannot be written."""
    written: list[Path] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(exist_ok=True)
            with path.open("x") as file:
                written.append(path)
                file.write(text)
    except BaseException:
        for path in written:
            path.unlink()
        raise
