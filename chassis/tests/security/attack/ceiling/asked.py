"""What an application looks for in a request: names of fields and headers, and models; noted while it does."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from werkzeug.datastructures import ImmutableMultiDict


class Asked:
    """The names of fields and the models by route, and the headers of all."""

    def __init__(self) -> None:
        self.row = ""
        self.fields: dict[str, dict[str, None]] = defaultdict(dict)
        self.models: dict[str, dict[type[BaseModel], None]] = defaultdict(dict)
        self.headers: dict[str, None] = {}
        self.listening = True

    def field(self, name: object) -> None:
        """Note a name that is looked for in a form or a query."""
        if self.listening and isinstance(name, str):
            self.fields[self.row][name] = None

    def header(self, key: object) -> None:
        """Note a header that is looked for."""
        if isinstance(key, str) and key.startswith("HTTP_") and key != "HTTP_HOST":
            self.headers[key.removeprefix("HTTP_").replace("_", "-").title()] = None

    def listen(self, app: Any) -> None:
        """Begin to note what this application asks of its requests."""
        base: type[Any] = app.request_class
        app.request_class = type("Request", (base,), {"parameter_storage_class": _noting(self.field)})
        parse = BaseModel.model_validate_json.__func__  # type: ignore[attr-defined]

        def model_validate_json(model: type[BaseModel], *given: Any, **options: Any) -> Any:
            if self.listening:
                self.models[self.row][model] = None
            return parse(model, *given, **options)

        BaseModel.model_validate_json = classmethod(model_validate_json)  # type: ignore[assignment, method-assign]

    def environ(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Return an environ that notes which headers are looked for."""
        return _Noting(self.header, environ) if self.listening else environ


def _noting(note: Callable[[object], None]) -> type[ImmutableMultiDict[str, str]]:
    class Fields(ImmutableMultiDict[str, str]):
        def get(self, key: Any, *given: Any, **options: Any) -> Any:
            note(key)
            return super().get(key, *given, **options)

        def getlist(self, key: Any, *given: Any, **options: Any) -> Any:
            note(key)
            return super().getlist(key, *given, **options)

        def __getitem__(self, key: Any) -> Any:
            note(key)
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            note(key)
            return super().__contains__(key)

    return Fields


class _Noting(dict[str, Any]):
    def __init__(self, note: Callable[[object], None], given: dict[str, Any]) -> None:
        super().__init__(given)
        self._note = note

    def get(self, key: Any, *default: Any) -> Any:
        self._note(key)
        return super().get(key, *default)

    def __getitem__(self, key: Any) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)
