"""Variables of other programs that would be expected to work here, and do not: refused where that would matter."""

from collections.abc import Callable, Iterable, Mapping

from chassis.settings.section import Problem

ON = {"1", "true", "yes", "on"}
ENVIRONMENTS = {"dev": "development", "prod": "production", "testing": "test"}
Meant = Callable[[str], Mapping[str, str]]


def _environment(value: str) -> Mapping[str, str]:
    return {"APP_ENV": ENVIRONMENTS.get(value.lower(), value.lower())}


def _debugging(value: str) -> Mapping[str, str]:
    return {"DEBUG_PAGES": "true"} if value.lower() in ON else {}


def _address(value: str) -> Mapping[str, str]:
    host, _, port = value.rpartition(":")
    return {name: part for name, part in (("HOST", host.strip("[]")), ("PORT", port)) if part}


def _same(name: str) -> Meant:
    return lambda value: {name: value}


FOREIGN: dict[str, Meant] = {
    "ENVIRONMENT": _environment,
    "FLASK_ENV": _environment,
    "DEBUG": _debugging,
    "GUNICORN_BIND": _address,
    "FLASK_RUN_HOST": _same("HOST"),
    "FLASK_RUN_PORT": _same("PORT"),
    "SQLALCHEMY_DATABASE_URI": _same("DATABASE_URL"),
}


def problems(
    variables: Mapping[str, str], values: Mapping[str, str], in_force: Callable[[str], str]
) -> Iterable[Problem]:
    """Yield the foreign variables that ask for something else than what is in force.

    `variables` is what is set anywhere, `values` are those of settings; `in_force(name)` returns a setting's value as
    text. A foreign variable beside the setting that it means is ignored.
    """
    for name, meant in FOREIGN.items():
        asked = meant(variables[name].strip()) if variables.get(name, "").strip() else {}
        missed = [ours for ours, value in asked.items() if not values.get(ours) and in_force(ours) != value]
        if missed:
            yield name, f"is not a setting of this service: set {' and '.join(asked)} instead, and unset {name}"
