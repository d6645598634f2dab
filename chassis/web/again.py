"""Shows a form again after a mistake, with what was typed and a sentence beside the field, also without scripts."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, g, request
from markupsafe import Markup

from chassis.errors import AppError, BadRequest, Conflict, NotFound
from chassis.web.errors import for_program

F = TypeVar("F", bound=Callable[..., Any])
MISTAKES = (BadRequest, Conflict, NotFound)
P = Markup('<p id="{}-mistake" class="failure" role="alert">{}</p>')
MARKS = Markup(' aria-invalid="true" aria-describedby="{}-mistake" autofocus')


def install(app: Flask) -> None:
    """Give templates `typed(name, default)`, `mistake(name)`, and `marked(name)` for the field's own tag."""
    app.jinja_env.globals.update(typed=typed, mistake=mistake, marked=marked)


def shown_again(page: Callable[..., Any], *, field: str) -> Callable[[F], F]:
    """Answer mistakes in a form with `page()`, called with the view's own arguments.

    A mistake that names no field of the form is told beside `field`. Programs get the error as usual.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def tried(*args: Any, **kwargs: Any) -> Any:
            try:
                return view(*args, **kwargs)
            except MISTAKES as error:
                if for_program():
                    raise
                g.form_mistake = _placed(error, field)
                return page(*args, **kwargs), error.status

        return cast(F, tried)

    return decorate


def _placed(error: AppError, otherwise: str) -> tuple[str, str]:
    """Return the field that an error is about, and its sentence."""
    name, _, words = error.message.partition(": ")
    return (name, words[:1].upper() + words[1:]) if words and name in request.form else (otherwise, error.message)


def typed(name: str, default: object = "") -> object:
    """Return what was typed into a field of the form that is shown again, or the default."""
    return request.form.get(name, default) if "form_mistake" in g else default


def mistake(name: str) -> Markup:
    """Return the sentence on what is wrong with a field, or nothing."""
    at, words = g.get("form_mistake", ("", ""))
    return P.format(name, words) if at == name else Markup("")


def marked(name: str) -> Markup:
    """Return the attributes of a field that holds a mistake, or nothing."""
    return MARKS.format(name) if g.get("form_mistake", ("",))[0] == name else Markup("")
