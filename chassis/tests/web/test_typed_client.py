"""The client of docs/react.md compiles with the types of the events and is built; a wrong event is an error."""

import json
import re
import shutil
import subprocess

import jsonschema
import pytest

from app import create_app
from chassis.base.service import current as service
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.web.asyncapi import document, types

pytestmark = [pytest.mark.long, pytest.mark.server]
FILES = re.compile(r"^`(?P<name>[\w./]+)`:.*?^```\w+\n(?P<text>.*?)^```", re.M | re.S)
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
WRONG = {
    '"job:update": setJob': '"job:updated": setJob',
    "message: { id }": "message: { ident: id }",
    "answer.job": "answer.jobs",
    'socket.emit("job:unsubscribe", { id }': 'socket.emit("job:unsubscribe", { id: 1 }',
}


@pytest.fixture(scope="module")
def project(tool, tmp_path_factory):
    """The files of the document, the types of the events, and the packages in their locked versions."""
    folder = tmp_path_factory.mktemp("typed")
    for found in FILES.finditer((ROOT / "chassis/docs/react.md").read_text()):
        (folder / found["name"]).parent.mkdir(exist_ok=True)
        (folder / found["name"]).write_text(found["text"])
    for name in ("rooms.js", "rooms.mjs", "rooms.d.mts"):
        shutil.copy(ROOT / "chassis/web/static" / name, folder / "src")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "chassis/tests/typescript" / name, folder)
    create_app(Settings(app_env="test", database_url=f"sqlite:///{folder}/app.db"))
    (folder / "src/events.ts").write_text(types(document(service().name, "localhost", secure=False)))
    done = subprocess.run([tool("npm"), *NPM_CI], cwd=folder, env=CLEAN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def run(project, tool, *command):
    return subprocess.run(
        [tool("node"), *command], cwd=project, env=CLEAN, capture_output=True, text=True, timeout=LIMIT_SECONDS
    )


def test_the_client_compiles_and_each_wrong_name_is_an_error(project, tool):
    main = (project / "src/main.tsx").read_text()
    for number, (right, wrong) in enumerate(WRONG.items()):
        assert right in main
        (project / f"src/wrong{number}.tsx").write_text(main.replace(right, wrong))
    done = run(project, tool, "node_modules/typescript/bin/tsc", "--pretty", "false")
    mistaken = {line.partition("(")[0] for line in done.stdout.splitlines() if not line.startswith(" ")}
    assert mistaken == {f"src/wrong{number}.tsx" for number in range(len(WRONG))}, done.stdout


def test_the_client_is_built(project, tool):
    built = run(project, tool, "node_modules/vite/bin/vite.js", "build")
    assert built.returncode == 0, built.stderr
    (script,) = (project / "dist/assets").glob("*.js")
    assert "job:subscribe" in script.read_text()


def test_the_description_is_valid_asyncapi(project):
    schema = json.loads((project / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json").read_text())
    jsonschema.validate(document(service().name, "localhost", secure=False), schema)
