"""What features tell by their hooks, and that nothing else names a feature."""

import ast
import re
import threading
from pathlib import Path

import pytest
from flask import Blueprint, Flask, render_template
from prometheus_client import CollectorRegistry, generate_latest

from chassis import features
from chassis.db.background import Repeated
from chassis.hooks import Hooks
from chassis.settings import Settings
from chassis.tests.conftest import ROOT
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.web import errors, facts
from chassis.web.openapi.document import document
from chassis.wiring import Periodic, current_settings, current_wiring, kept, wire, wiring_of

OTHERS = {"/chat/completions"}  # a path of OpenAI's API, also if a feature has a name of its words
LOG_FORMATS = {("chassis/settings/application.py", "console")}  # structlog's word for lines that people read


@pytest.fixture
def app():
    """An application without features."""
    made = Flask("bare", static_folder=ROOT / "chassis/web/static")
    wire(made, Settings(app_env="test"))
    return made


@pytest.fixture
def two(app, tmp_path):
    """Two features whose files have the same names."""
    for name in ("cats", "dogs"):
        for file in ("static/page.js", f"templates/{name}/page.html"):
            (tmp_path / name / file).parent.mkdir(parents=True)
            (tmp_path / name / file).write_text(f"{name} {{{{ url_for('{name}_files.static', filename='page.js') }}}}")
        page = Blueprint(name, __name__)
        page.add_url_rule(f"/{name}", "page", lambda name=name: render_template(f"{name}/page.html"))
        Hooks(app, name, tmp_path / name).pages(page)
    return app.test_client()


def test_two_features_have_static_files_and_templates_of_their_own(two):
    for name in ("cats", "dogs"):
        assert two.get(f"/static/{name}/page.js").text.startswith(name)
        assert two.get(f"/{name}").text == f"{name} /static/{name}/page.js"
    assert two.get("/static/page.js").status_code == 404
    assert two.get("/static/live.js").status_code == 200


def test_a_feature_cannot_hide_the_chassis_own_static_files(app, tmp_path):
    (tmp_path / "static").mkdir()
    with pytest.raises(ValueError, match="vendor"):
        Hooks(app, "vendor", tmp_path).pages()


def test_errors_below_a_program_path_are_json_for_every_client(app):
    errors.install(app)
    Hooks(app, "albums", Path()).program_path("/v9/")
    asked = app.test_client().get("/v9/nothing", headers={"Accept": "text/html"})
    assert (asked.status_code, asked.json["error"]["code"]) == (404, "not_found")


def test_work_is_repeated_after_an_error_and_done_a_last_time_at_the_stop(app):
    calls = []

    def work():
        calls.append(current_settings().app_env)
        if len(calls) == 1:
            raise RuntimeError("the first call fails")

    Hooks(app, "albums", Path()).every(0.01, "albums_sync", work)
    repeated = Repeated(app, *wiring_of(app).background)
    repeated.start()
    wait_until(lambda: len(calls) > 2)
    repeated.stop()
    assert set(calls) == {"test"}


def test_the_last_call_at_the_stop_waits_for_one_in_progress(app):
    calls, begun, goes_on = [], threading.Event(), threading.Event()

    def work():
        calls.append("begins")
        begun.set()
        goes_on.wait(LIMIT_SECONDS)
        calls.append("ends")

    repeated = Repeated(app, Periodic("albums_sync", 0.01, work))
    repeated.start()
    assert begun.wait(LIMIT_SECONDS)
    stopping = threading.Thread(target=repeated.stop)
    stopping.start()
    wait_until(repeated._stopping.is_set)
    goes_on.set()
    stopping.join(LIMIT_SECONDS)
    assert calls == ["begins", "ends", "begins", "ends"]


def test_what_a_feature_keeps_is_found_by_its_class(app):
    class Albums:
        pass

    albums = Albums()
    Hooks(app, "albums", Path()).keep(albums)
    with app.app_context():
        assert kept(Albums) is albums


def test_a_note_is_part_of_the_api_s_description(app):
    assert "description" not in document(app, "bare")["info"]
    Hooks(app, "albums", Path()).openapi_note("Albums are *shared*.")
    assert document(app, "bare")["info"]["description"] == "Albums are *shared*."


@pytest.mark.parametrize(("listed", "allowed"), [({}, True), ({"upload_types": ("text/csv",)}, False)])
def test_a_type_of_uploads_is_accepted_unless_the_operator_lists_others(app, listed, allowed):
    from chassis.security.uploads import allowed_types

    wire(app, Settings(app_env="test", **listed))
    Hooks(app, "albums", Path()).upload_type("image/png")
    with app.app_context():
        assert ("image/png" in allowed_types()) is allowed


def test_a_check_of_a_feature_is_one_of_the_health_checks(app):
    Hooks(app, "albums", Path()).health_check("albums", lambda: "no film")
    with app.app_context():
        assert current_wiring().health_checks["albums"]() == "no film"


def test_nothing_outside_a_feature_names_a_feature():
    """Prose may: docstrings and sentences."""
    names = "|".join(feature.name for feature in features.found())
    named = re.compile(rf"(?<![\w-])(?:{names})(?![\w-])")
    found = []
    for path in (ROOT / "chassis").rglob("*"):
        shown = str(path.relative_to(ROOT))
        if names and not shown.startswith(("chassis/parts/", "chassis/tests/")):
            texts = _texts(path) if path.suffix == ".py" else _quoted(path) if path.suffix in (".html", ".js") else ()
            found += [
                (shown, text)
                for text in texts
                if named.search(text) and text not in OTHERS and (shown, text) not in LOG_FORMATS
            ]
    assert not found


def _texts(path: Path) -> list[str]:
    """Return a module's strings and names of imported modules, without prose."""
    tree = ast.parse(path.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    nodes = [node for node in ast.walk(tree) if id(node) not in prose]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    strings = [text for text in texts if not (" " in text and text.endswith("."))]
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return [*strings, *modules, *(name.name for node in nodes if isinstance(node, ast.Import) for name in node.names)]


def _quoted(path: Path) -> list[str]:
    """Return what stands in quotes in a template or script."""
    return re.findall(r"'[^'\n]*'|\"[^\"\n]*\"", path.read_text())


def test_a_gauge_of_a_feature_shows_what_exists_now(app, tmp_path):
    """A gauge of prometheus_client keeps the last value of what is gone."""
    cats = {"tom": 3.0}
    Hooks(app, "cats", tmp_path).gauge(
        "cats_lives", "Lives.", ["name"], lambda: [([name], n) for name, n in cats.items()]
    )
    with app.app_context():
        assert 'cats_lives{name="tom"} 3.0' in scraped()
        cats.clear()
        assert "cats_lives{" not in scraped()
    assert "cats_lives" not in scraped()


def scraped():
    """Return the metrics of the chassis' collector; without a database, features' gauges alone."""
    registry = CollectorRegistry()
    registry.register(facts.collector)
    return generate_latest(registry).decode()
