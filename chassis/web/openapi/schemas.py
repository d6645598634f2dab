"""The JSON schemas of models, each once however many routes and events have it."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chassis.web.openapi.describe import COMPONENTS

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
TAKEN: Mode = "validation"
GIVEN: Mode = "serialization"
References = Mapping[Any, Schema]  # by model and mode


def schemas(given: Iterable[type[BaseModel]], taken: Iterable[type[BaseModel]]) -> tuple[References, dict[str, Schema]]:
    """Return references to the models that the service gives and takes, and the schemas that they name."""
    wanted = [*_each(given, GIVEN), *_each(taken, TAKEN)]
    references, found = models_json_schema(wanted, ref_template=COMPONENTS + "{model}")
    return references, found.get("$defs", {})


def _each(models: Iterable[type[BaseModel]], mode: Mode) -> list[tuple[type[BaseModel], Mode]]:
    return [(model, mode) for model in sorted(models, key=lambda model: model.__qualname__)]
