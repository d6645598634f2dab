"""Reads declarations as they are written in the source, so that the reference is the same for every Python."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any


def signature(function: Any) -> str:
    """Return the parameters and the result of a function, without `self`."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body
    assert isinstance(found, ast.FunctionDef), function
    result = f" -> {_annotation(found.returns)}" if found.returns else ""
    return f"({', '.join(_parameters(found.args))}){result}"


def fields(kind: type[Any]) -> str:
    """Return what a class is made with: the parameters of its own `__init__`, or else its own fields."""
    own = vars(kind).get("__init__")
    if inspect.isfunction(own) and own.__module__.startswith("chassis.") and not is_dataclass(kind):
        return signature(own).removesuffix(" -> None")
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(found, ast.ClassDef), kind
    declared = [one for one in found.body if isinstance(one, ast.AnnAssign)]
    shown = [_field(one) for one in declared if not ast.unparse(one.target).startswith("_")]
    return f"({', '.join(shown)})" if shown else ""


def methods(kind: type[Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield a class's own public methods and properties, each as (name, function, what follows the name)."""
    foreign = [base for base in kind.__mro__ if not base.__module__.startswith("chassis.")]
    for name, member in vars(kind).items():
        if name.startswith("_") or any(hasattr(base, name) for base in foreign):
            continue
        if isinstance(member, property):
            yield name, member.fget, signature(member.fget).removeprefix("()").replace(" -> ", ": ")
        elif isinstance(member, classmethod | staticmethod) or inspect.isfunction(member):
            function = getattr(member, "__func__", member)
            yield name, function, signature(function)


def note(module: str, name: str) -> str:
    """Return the string below the assignment of a name, where the module has it or imports it from."""
    body = _body(module)
    for statement in body:
        for alias in statement.names if isinstance(statement, ast.ImportFrom) else ():
            if (alias.asname or alias.name) == name:
                return note(str(getattr(statement, "module", "")), alias.name)
    for statement, below in pairwise(body):
        if isinstance(statement, ast.Assign) and name in map(ast.unparse, statement.targets):
            return _string(below)
    return ""


def _string(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


@cache
def _body(module: str) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(import_module(module))).body


def _parameters(found: ast.arguments) -> Iterator[str]:
    positional = [*found.posonlyargs, *found.args]
    unset = [None] * (len(positional) - len(found.defaults))
    for one, default in zip(positional, [*unset, *found.defaults], strict=True):
        if one.arg not in ("self", "cls"):
            yield _parameter(one, default)
    if found.vararg:
        yield f"*{_parameter(found.vararg, None)}"
    elif found.kwonlyargs:
        yield "*"
    for one, default in zip(found.kwonlyargs, found.kw_defaults, strict=True):
        yield _parameter(one, default)
    if found.kwarg:
        yield f"**{_parameter(found.kwarg, None)}"


def _parameter(one: ast.arg, default: ast.expr | None) -> str:
    text = one.arg + (f": {_annotation(one.annotation)}" if one.annotation else "")
    return text if default is None else f"{text} = {ast.unparse(default)}"


def _field(one: ast.AnnAssign) -> str:
    text = f"{ast.unparse(one.target)}: {_annotation(one.annotation)}"
    value = ast.unparse(one.value) if one.value else ""
    if value.startswith("field("):
        return f"{text} = ..."
    return f"{text} = {value}" if value and not value.startswith("Field(") else text


def _annotation(found: ast.expr) -> str:
    return found.value if isinstance(found, ast.Constant) and isinstance(found.value, str) else ast.unparse(found)
