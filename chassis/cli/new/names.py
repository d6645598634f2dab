"""Names that a feature, a column or an addition cannot have, each refused with a reason before a file is written."""

import keyword
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from flask import Flask
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS as POSTGRES_WORDS
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer
from sqlalchemy.sql.compiler import RESERVED_WORDS

from chassis import features, web
from chassis.base.environment import BASE_DIR
from chassis.boot.migrations import load_tables
from chassis.db import metadata
from chassis.errors import BadRequest
from chassis.jobs import registry
from chassis.naming import slug_of
from chassis.settings.declared import own_fields
from chassis.template.refusals import packages
from chassis.wiring import settings_of

NAME_MAX, COLUMN_MAX = 28, 40  # the lines that are written have at most 120 characters
FEATURE_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
PLURAL_ES = re.compile(r"(?:ch|sh|ss|x|z)es$")
NO_PLURAL = re.compile(r"(?:ss|us|is|news)$")
OF_DATABASES = ("alembic_", "sqlite_", "pg_")
RESERVED = {"core", "metadata", "tests"}  # a branch of migrations; a name in tables.py; what is no feature
COLUMNS = {"id", "owner", "created_at", "stored"}  # that each table has; a method of the model
ANNOTATIONS = {"bool", "datetime", "float", "int", "str"}  # a field of this name would hide the type from the next one


def check_feature(app: Flask, name: str) -> None:
    """Raise BadRequest for a name that a new feature cannot have."""
    _refuse(_spelling(name, NAME_MAX), _words(name), _taken(app, name))


def check_column(name: str) -> None:
    """Raise BadRequest for a name that a column cannot have."""
    _refuse(_spelling(name, COLUMN_MAX), _words(name), _column(name))


def check_addition(name: str) -> None:
    """Raise BadRequest for a name that an event or a kind of job cannot have."""
    _refuse(_spelling(name, NAME_MAX))


def _refuse(*reasons: Iterator[str]) -> None:
    """Raise BadRequest with the first reason, if there is one; the others are not looked for."""
    if first := next(chain(*reasons), None):
        raise BadRequest(f"No file was written. {first}.")


def own_feature(name: str) -> Path:
    """Return the folder of an existing feature of the service; raise BadRequest without one."""
    own = sorted(found.name for found in features.found() if found.folder.parent == features.OWN)
    if name not in own:
        raise BadRequest(
            f"No file was written. There is no feature {name!r} in app/features: {', '.join(own) or 'none'}."
        )
    return features.OWN / name


def one_of(name: str) -> str:
    """Return the singular of an English plural in lower case: `album` of `albums`; other words stay as they are."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if PLURAL_ES.search(name):
        return name[:-2]
    return name if NO_PLURAL.search(name) else name.removesuffix("s")


def _spelling(name: str, most: int) -> Iterator[str]:
    if not FEATURE_NAME.fullmatch(name):
        better = slug_of(name).replace("-", "_")
        hint = f", such as {better}" if FEATURE_NAME.fullmatch(better) else ""
        yield f"{name!r} is no name of a package: lower-case Latin letters, digits and single underscores{hint}"
    if len(name) > most:
        yield f"{name!r} has {len(name)} characters, more than {most}"


def _words(name: str) -> Iterator[str]:
    if keyword.iskeyword(name) or (keyword.issoftkeyword(name) and name != "type"):
        yield f"{name!r} is a keyword of Python"
    if name in _sql_words():
        yield f"{name!r} is a keyword of SQL"


@cache
def _sql_words() -> set[str]:
    return {*RESERVED_WORDS, *POSTGRES_WORDS, *SQLiteIdentifierPreparer.reserved_words}


def _taken(app: Flask, name: str) -> Iterator[str]:
    """Yield why a feature of this name would meet something that is there."""
    path = name.replace("_", "-")
    if (features.OWN / name).exists():
        yield f"There is a feature {name!r} already"
    if name in {module.name for module in pkgutil.iter_modules([str(features.PARTS)])}:
        yield f"{name!r} is a part of the chassis"
    if name in RESERVED or any((Path(web.__path__[0]) / folder / name).exists() for folder in ("static", "templates")):
        yield f"{name!r} is reserved for the chassis"
    load_tables()
    if name in metadata.tables or name.startswith(OF_DATABASES):
        yield f"{name!r} is a table already, or reserved for databases"
    if registry.find(name):
        yield f"{name!r} is a kind of jobs already"
    if path in packages(BASE_DIR):
        yield f"{name!r} is a library in the lock"
    if any(f"{rule.rule}/".startswith((f"/{path}/", f"/api/{path}/")) for rule in app.url_map.iter_rules()):
        yield f"/{path} or /api/{path} is a route already"
    if any(setting_of(name) in own_fields(kind) for kind in settings_of(app).kinds):
        yield f"{setting_of(name).upper()} is a setting already"


def setting_of(name: str) -> str:
    """Return the setting that says how long the rows of a feature are kept."""
    return f"retention_{name}_days"


def _column(name: str) -> Iterator[str]:
    if name in COLUMNS:
        yield f"{name!r} is a name that the feature uses itself"
    if name in ANNOTATIONS or hasattr(BaseModel, name) or name.startswith("model_"):
        yield f"{name!r} means something else in a model of pydantic"
