"""The workflows: audited, pinned, and their own commands typed where that is possible."""

import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from chassis.base.service import current
from chassis.tests.conftest import ROOT
from chassis.tests.documents import blocks

BIN = Path(sys.executable).parent
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
WORKFLOWS = {file.stem: YAML(typ="safe").load(file) for file in FILES}
JOBS = [pytest.param(job, id=f"{name}-{key}") for name, flow in WORKFLOWS.items() for key, job in flow["jobs"].items()]
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*|\$/\.github/workflows/\w+\.yml")


def checked(*command):
    found = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_the_audit_finds_nothing():
    checked(BIN / "zizmor", "--offline", "--no-progress", ".github")


def test_the_files_fit_their_schemas():
    checked(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *FILES)
    checked(BIN / "check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")


def test_every_action_is_a_commit_with_its_version():
    used = [
        line.split("uses:")[1].strip() for file in FILES for line in file.read_text().splitlines() if "uses:" in line
    ]
    assert len(used) > 10
    assert [name for name in used if not PINNED.fullmatch(name)] == []
    versions = {name.split("@")[0]: name for name in used}
    assert all(versions[name.split("@")[0]] == name for name in used), "one version of each"


@pytest.mark.parametrize("flow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_a_workflow_may_do_nothing_but_what_its_jobs_ask_for(flow):
    assert flow["permissions"] == {}
    assert flow["concurrency"]["group"]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_has_least_permissions_and_an_end(job):
    assert "permissions" in job
    if "uses" in job:
        return
    assert job["timeout-minutes"] <= 90
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_each_python_is_tested_and_only_what_is_green_goes_on():
    test, image = WORKFLOWS["test"]["jobs"], WORKFLOWS["image"]["jobs"]
    assert test["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert set(test["deploy"]["needs"]) == set(test) - {"deploy"}
    assert (set(image["publish"]["needs"]), image["release"]["needs"]) == ({"build", "test"}, ["publish"])
    assert image["publish"]["if"] == image["test"]["if"] == "startsWith(github.ref, 'refs/tags/v')"


@pytest.mark.parametrize("target", re.findall(r"run: make ([\w-]+)", "".join(file.read_text() for file in FILES)))
def test_what_a_workflow_makes_is_a_target(target):
    assert f"make {target} " in checked("make", "help")


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes the place of Render's deploy hook."""

    def do_POST(self):
        self.server.asked.append(self.path)
        self.send_response(201)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hook():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def typed(commands, **env):
    return subprocess.run(
        ["bash", "-ec", commands], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True
    )


def test_render_is_told_which_commit_to_deploy(hook, tool):
    tool("curl")
    (step,) = WORKFLOWS["test"]["jobs"]["deploy"]["steps"]
    url = f"http://127.0.0.1:{hook.server_port}/deploy/srv-one?key=two"
    assert typed(step["run"], RENDER_DEPLOY_HOOK_URL=url, GITHUB_SHA="abc").returncode == 0
    by_hand = typed(blocks("docs/deploy.md", "Render")[0], RENDER_DEPLOY_HOOK_URL=url, COMMIT="def")
    assert by_hand.returncode == 0, by_hand.stderr
    assert hook.asked == ["/deploy/srv-one?key=two&ref=abc", "/deploy/srv-one?key=two&ref=def"]
    without = typed(step["run"], RENDER_DEPLOY_HOOK_URL="")
    assert (without.returncode, "nothing is deployed" in without.stdout) == (0, True)


def test_a_tag_that_is_not_the_version_is_not_published(tmp_path):
    (step,) = (step for step in WORKFLOWS["image"]["jobs"]["publish"]["steps"] if step.get("id") == "name")
    version = current().version
    output = tmp_path / "output"
    env = {"GITHUB_REPOSITORY": "Some/Thing", "GITHUB_OUTPUT": str(output)}
    assert typed(step["run"], GITHUB_REF_NAME="v99.0.0", **env).returncode == 1
    assert typed(step["run"], GITHUB_REF_NAME=f"v{version}", **env).returncode == 0
    assert output.read_text() == f"image=ghcr.io/some/thing\nversion={version}\n"
