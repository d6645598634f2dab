"""The description of the API: it names every route and all they answer; a search finds nothing that it does not say."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.described import Described, started
from chassis.tests.fuzzing import EXAMPLES, NEW
from chassis.tests.patience import LIMIT_SECONDS

KEY = "one-client-of-the-test-0123456789ab"
# The search tries many wrong keys; each is to be answered for what it is.
ADMIN = "the-admin-of-the-test-0123456789abcd"
GUARDED = {"REQUIRE_CLIENT_API_KEY": "true", "CLIENT_API_KEYS": KEY, "AUTH_FAILURE_LIMIT": "", "ADMIN_API_KEY": ADMIN}
ROUTES = """
import json
from app import create_app
from chassis.wiring import wiring_of
app = create_app()
wiring_of(app).session_cookie = "account"
routes = [(rule.rule, sorted(rule.methods - {"HEAD", "OPTIONS"})) for rule in app.url_map.iter_rules()]
print(json.dumps({"routes": routes, **app.test_client().get("/api/openapi.json").get_json()}))
"""
MISFITS = ["page=0", "page=x", "page=", "page=1.5", "page=99999999999999999999", "page=1&page=2", "per_page=101"]
MISFITS += ["state=lost", "state=", "kind=%00", f"kind={'x' * 201}"]
# What is right by its schema can still be wrong by its sense (a prompt that names no column), so that a refusal of what
# fits is no finding; 414 is what the server says of a long address, whatever else is wrong with it.
CONFIG = """
[checks.positive_data_acceptance]
enabled = false
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 414, 415]
"""


pytestmark = pytest.mark.server  # `api` starts it


@pytest.fixture(scope="module", params=["guarded", pytest.param("open", marks=pytest.mark.long)])
def api(request, tmp_path_factory):
    """The description of an open server, and of one that asks for a key, both with something in their lists."""
    guarded = request.param == "guarded"
    server = started(tmp_path_factory.mktemp("api"), **(GUARDED if guarded else {}))
    api = Described(server, {"X-API-Key": KEY} if guarded else {})
    api.typed = type_examples(api)
    yield api
    server.stop()


def type_examples(api: Described) -> dict[str, int]:
    """Type the page's examples that need no id, those for admins with an admin's key, and return their statuses."""
    page = api.server.get("/api/docs", api.headers)[1]
    examples = [html.unescape(text) for text in re.findall(r'<pre class="example"[^>]*><code>(.*?)</code>', page, re.S)]
    examples = [line for line in examples if "_ID" not in line and (api.headers or "/api/admin/" not in line)]
    return {line: typed(line, ADMIN if "/api/admin/" in line else KEY) for line in examples}


def typed(line: str, key: str) -> int:
    command = ["bash", "-c", f"{line} -s -o /dev/null -w '%{{http_code}}'"]
    done = subprocess.run(command, env={**CLEAN, "API_KEY": key}, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    return int(done.stdout)


def test_every_route_is_described_and_nothing_else(tmp_path):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
    command = [sys.executable, "-c", ROUTES]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    routes = {(re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule), m) for rule, methods in found["routes"] for m in methods}
    described = {(path, method.upper()) for path, methods in found["paths"].items() for method in methods}
    assert {route for route in routes if route[0].startswith("/api/")} - described == set()
    assert described - routes == set()
    assert found["components"]["securitySchemes"]["session"]["name"] == "account"  # where people can sign in
    assert {"session": []} in found["paths"]["/api/jobs"]["get"]["security"]


@pytest.mark.long
def test_the_document_is_openapi_3_1(api):
    import schemathesis

    assert api.document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(api.document).validate()


def test_the_examples_of_the_page_can_be_typed(api):
    assert len(api.typed) >= 6
    assert {status for status in api.typed.values() if not 200 <= status < 300} == set(), api.typed


def test_answers_are_as_described(api):
    for path in (
        "/livez",
        "/readyz",
        "/healthz",
        "/api/openapi.json",
        "/api/docs",
        "/api/jobs",
        "/api/jobs?per_page=1",
    ):
        assert api.ask("GET", path)[0] == 200
    for job in api.json("GET", "/api/jobs")[1]["items"]:
        assert api.json("GET", f"/api/jobs/{job['id']}")[1]["kind"] == job["kind"]
    assert api.ask("GET", "/api/jobs/none")[0] == 404
    assert api.ask("GET", "/api/jobs", X_API_Key="wrong")[0] == 401


@pytest.mark.parametrize("query", MISFITS)
def test_a_parameter_that_does_not_fit_is_refused_by_its_name(api, query):
    status, answer = api.json("GET", f"/api/jobs?{query}")
    assert (status, answer["error"]["code"]) == (400, "invalid_parameter")
    assert query.partition("=")[0] in answer["error"]["message"]


def test_what_is_no_parameter_is_left_alone(api):
    assert api.ask("GET", "/api/jobs?_=123&page=1&utm=x&utm=y")[0] == 200


def test_the_description_says_who_may(api):
    ways = [list(way) for way in api.operation("GET", "/api/jobs")["security"]]
    assert [way for way in ways if way not in ([], ["session"])] == [["key"], ["bearer"]]
    assert ([] in ways) == (api.headers == {})
    assert api.operation("GET", "/livez")["security"] == []
    assert api.server.get("/api/docs")[0] == (401 if api.headers else 200)


@pytest.mark.browser
def test_the_page_needs_no_script_and_fits_a_phone(api, page):
    page.set_extra_http_headers(api.headers)
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 740})
        page.goto(api.server.url + "/api/docs")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    operations = [operation for methods in api.document["paths"].values() for operation in methods.values()]
    assert page.locator("article").count() == len(operations)
    page.click("nav.contents a[href='#jobs_api.listing']")
    page.click("article[id='jobs_api.listing'] summary >> nth=0")
    assert "items[].started_at" in page.inner_text("article[id='jobs_api.listing']")
    assert page.problems == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_search_finds_no_answer_that_is_not_described(api, tmp_path):
    search(api, tmp_path, phases="coverage,fuzzing", examples=2)


@pytest.mark.long
@pytest.mark.fuzz
@pytest.mark.timeout(900)
def test_a_long_search_that_goes_from_answer_to_answer_finds_none(api, tmp_path):
    search(api, tmp_path, phases="fuzzing,stateful", examples=EXAMPLES // 20)


def search(api: Described, folder: Path, *, phases: str, examples: int) -> None:
    """Let schemathesis try what the description allows and what it does not; both kinds of ids, known and made up."""
    (folder / "schemathesis.toml").write_text(CONFIG + known_ids(api))
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", "schemathesis.toml", "--no-color", "run"]
    command += [f"{api.server.url}/api/openapi.json", "--phases", phases, "--max-examples", str(examples)]
    command += [] if NEW else ["--generation-deterministic"]
    command += [word for name, value in api.headers.items() for word in ("-H", f"{name}: {value}")]
    done = subprocess.run(command, cwd=folder, env=CLEAN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "request_raised" not in api.server.log


def known_ids(api: Described) -> str:
    """Return settings that put an id of each list that the client may see into every other path that takes one."""
    dictionaries, bound = "", "[parameters]\n"
    for path in api.document["paths"]:
        found = re.fullmatch(r"(.*)/\{(\w+)\}", path)
        if found and "get" in api.document["paths"].get(found[1], {}):
            ids = [item["id"] for item in api.json("GET", found[1])[1].get("items", []) if "id" in item]
            dictionaries += f"[dictionaries.{found[2]}]\nvalues = {json.dumps(ids)}\n" if ids else ""
            bound += f'"path.{found[2]}" = {{ dictionary = "{found[2]}", probability = 0.5 }}\n' if ids else ""
    return dictionaries + bound
