"""`flask new feature`: writes a whole feature, or nothing."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from chassis import features
from chassis.base.environment import BASE_DIR
from chassis.cli.new.columns import Column
from chassis.cli.new.names import check_feature, one_of, setting_of
from chassis.cli.new.rendering import rendered
from chassis.cli.settings import documents
from chassis.errors import BadRequest

FILES = {  # and the options without which they are not written
    "__init__.py": (),
    "api.py": (),
    "messages.py": (),
    "tables.py": ("table",),
    "migrations/0001_{name}.py": ("table",),
    "store.py": ("table",),
    "service.py": ("table",),
    "settings.py": ("table",),
    "retention.py": ("table",),
    "upload.py": ("upload",),
    "jobs.py": ("job",),
    "events.py": ("live",),
    "pages.py": ("page",),
    "templates/{name}/index.html": ("page",),
    "static/list.js": ("page", "table"),
    "static/upload.js": ("page", "upload"),
    "static/job.js": ("page", "job"),
    "static/talk.js": ("page", "live", "plain"),
    "tests/test_api.py": (),
    "tests/test_ownership.py": ("table",),
    "tests/test_retention.py": ("table",),
    "tests/test_upload.py": ("upload",),
    "tests/test_jobs.py": ("job",),
    "tests/test_events.py": ("live",),
    "tests/test_page.py": ("page",),
}


@dataclass(frozen=True)
class Plan:
    """What to write: the feature's name, the columns of its table if it has one, and what else it has."""

    name: str
    columns: tuple[Column, ...] = ()
    upload: bool = False
    job: bool = False
    live: bool = False
    page: bool = False

    @property
    def path(self) -> str:
        """Return the feature's part of a URL."""
        return self.name.replace("_", "-")

    def values(self) -> dict[str, Any]:
        """Return what the templates use."""
        one = one_of(self.name)
        table = bool(self.columns)
        return {
            **vars(self),
            "table": table,
            "plain": not table,
            "path": self.path,
            "many": self.name.replace("_", " "),
            "one": one.replace("_", " "),
            "id": f"{one}_id",
            "Many": _class_name(self.name),
            "One": _class_name(one),
            "title": self.name.replace("_", " ").capitalize(),
            "kinds": {column.kind for column in self.columns},
            "setting": setting_of(self.name),
        }


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def files(plan: Plan) -> dict[str, str]:
    """Return the texts of a feature by their paths in its folder."""
    values = plan.values()
    wanted = [name for name, options in FILES.items() if all(values[option] for option in options)]
    return {name.format(name=plan.name): rendered(f"feature/{name.format(name='name')}", values) for name in wanted}


def write(app: Flask, plan: Plan) -> list[Path]:
    """Write a feature and the documents of its settings; return the files. Raises BadRequest before the first one."""
    check_feature(app, plan.name)
    try:
        return _written(plan)
    except OSError as error:
        raise BadRequest(f"No file was written. {error}.") from None


def _written(plan: Plan) -> list[Path]:
    texts, folder = files(plan), features.OWN / plan.name
    with tempfile.TemporaryDirectory(dir=features.OWN, prefix=f".{plan.name}-") as scratch:
        made = Path(scratch) / plan.name
        for name, text in texts.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(text)
        made.rename(folder)  # all files at once
    try:
        documented = _document() if plan.columns else []
    except BaseException:
        shutil.rmtree(folder)
        raise
    return [*(folder / name for name in texts), *documented]


def _document() -> list[Path]:
    """Rewrite the documents that list every setting, and return those that changed."""
    texts = {BASE_DIR / name: text for name, text in documents(features.load()).items()}
    changed = {path: text for path, text in texts.items() if not path.exists() or path.read_text() != text}
    for path, text in changed.items():
        path.write_text(text)
    return list(changed)
