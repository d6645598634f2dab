"""Parts are put in by their name, features by their folder."""

import json
import subprocess
import sys

import pytest

from chassis import features
from chassis.base.service import Service
from chassis.errors import SettingsError
from chassis.tests.conftest import CLEAN, ROOT

BARE = """
import json, sys
import app
from chassis.base.service import Service
from chassis import features
app.service = Service(name="Bare", version="1.0.0", parts=())
features.OWN = features.OWN / "nothing"
made = app.create_app()
client = made.test_client()
found = {
    "loaded": [name for name in sys.modules if name.startswith(("chassis.parts.", "app.features."))],
    "page": client.get("/", headers={"Accept": "text/html"}).text,
    "statuses": [client.get(path).status_code for path in ("/livez", "/metrics", "/api/openapi.json", "/sign-in")],
    "branches": [name for name, _ in features.migrations()],
    "sections": [kind.__name__ for kind in features.sections()],
}
print(json.dumps(found))
"""


@pytest.fixture
def named(monkeypatch):
    """Return a function that gives the names of the features that are found when the service names these parts."""

    def find(*parts):
        monkeypatch.setattr(features, "current", lambda: Service(name="One", version="1.0.0", parts=parts))
        return [feature.name for feature in features.found()]

    return find


def test_a_part_is_there_when_it_is_named(named):
    own = named()
    assert not {"accounts", "console"} & set(own)
    assert set(named("console", "accounts")) == {*own, "accounts", "console"}


def test_a_part_that_does_not_exist_is_a_mistake_that_names_it(named):
    with pytest.raises(SettingsError, match="names parts that do not exist: acounts"):
        named("acounts", "console")


def test_a_feature_with_the_name_of_a_part_is_a_mistake(named, monkeypatch, tmp_path):
    (tmp_path / "console").mkdir()
    (tmp_path / "console/__init__.py").touch()
    monkeypatch.setattr(features, "OWN", tmp_path)
    assert named() == ["console"]
    with pytest.raises(SettingsError, match="has the name of a part: console"):
        named("console")


def test_a_service_without_parts_and_features_has_health_metrics_and_a_start_page(tmp_path):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
    done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["loaded"] == found["branches"] == found["sections"] == []
    assert found["statuses"] == [200, 200, 200, 404]
    assert "The service is running" in found["page"]
    assert "<title>Bare" in found["page"] or "Bare</title>" in found["page"]


def test_modules_are_found_by_the_name_of_a_part_and_what_follows_it(tmp_path, monkeypatch):
    for name in ("__init__", "jobs", "jobs_digest", "jobsite", "other_jobs"):
        (tmp_path / "boats_by_place").mkdir(exist_ok=True)
        (tmp_path / f"boats_by_place/{name}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    one = features.Feature("boats", "boats_by_place", tmp_path / "boats_by_place")
    monkeypatch.setattr(features, "found", lambda: [one])
    assert [module.__name__ for module in features.modules("jobs")] == [
        "boats_by_place.jobs",
        "boats_by_place.jobs_digest",
    ]
