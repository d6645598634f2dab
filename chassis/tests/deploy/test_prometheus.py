"""What deploy/prometheus and deploy/grafana say, against a real Prometheus that scrapes the real service."""

import contextlib
import json
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import socketio
from ruamel.yaml import YAML

from chassis.tests.named import EXAMPLE, HAS_EXAMPLE, SLUG
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT, free_port

PROMETHEUS, GRAFANA = ROOT / "deploy/prometheus", ROOT / "deploy/grafana"
UNIT_TESTS = sorted(PROMETHEUS.glob("tests*.yml"))
DASHBOARD = json.loads((GRAFANA / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


def rules(name):
    groups = YAML(typ="safe").load(PROMETHEUS / name)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def promtool(tool, *command):
    done = subprocess.run([tool("promtool", "prometheus"), *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_valid(tool):
    promtool(tool, "check", "config", str(PROMETHEUS / "prometheus.yml"))
    for name in PROMETHEUS.parent.glob("*/*.y*ml"):
        list(YAML(typ="safe").load_all(name))


def test_the_rules_pass_their_unit_tests(tool):
    promtool(tool, "test", "rules", *map(str, UNIT_TESTS))


def test_each_alert_is_seen_to_fire_and_not_to_fire():
    tests = [test for path in UNIT_TESTS for test in YAML(typ="safe").load(path)["tests"]]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    alerts = {rule["alert"] for rule in rules("alerts.yml")}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


def test_each_alert_has_its_page():
    text = (ROOT / "chassis/docs/alerts.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == [rule["alert"] for rule in rules("alerts.yml")]
    for rule in rules("alerts.yml"):
        assert rule["annotations"]["runbook"] == f"chassis/docs/alerts.md#{rule['alert'].lower()}"
        for word in ("**Means**", "**Look**", "**Fix**"):
            assert word in sections[rule["alert"]], (rule["alert"], word)


@contextlib.contextmanager
def prometheus(tool, folder: Path, port: int):
    """Run Prometheus with the shipped files on a service at a port; give a function that asks it."""
    own = free_port()
    for name in ("rules.yml", "alerts.yml"):
        (folder / name).write_text((PROMETHEUS / name).read_text())
    config = (PROMETHEUS / "prometheus.yml").read_text()
    config = config.replace("127.0.0.1:5000", f"127.0.0.1:{port}").replace("interval: 15s", "interval: 1s")
    (folder / "prometheus.yml").write_text(config)
    command = [tool("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield asks(own)
        finally:
            process.kill()


def asks(port):
    """Return a function that asks the Prometheus at a port."""

    def ask(expression):
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=LIMIT_SECONDS) as answer:
            return json.load(answer)["data"]["result"]

    return ask


def answers(ask, expression):
    with contextlib.suppress(OSError):
        return ask(expression)


@pytest.fixture(scope="module")
def watched(tool, tmp_path_factory):
    """A Prometheus that watches a service with some use; gives the function that asks it."""
    from chassis.tests.conftest import serving

    if not HAS_EXAMPLE:
        pytest.skip("uses the example, which was deleted")
    home = tmp_path_factory.mktemp("watched")
    with serving(home) as start:
        server = start()
        client = socketio.SimpleClient()
        client.connect(server.url, wait_timeout=LIMIT_SECONDS)
        use(server, client)
        with prometheus(tool, tmp_path_factory.mktemp("prometheus"), server.port) as ask:
            wait_until(lambda: answers(ask, f'count_over_time(up{{job="{SLUG}"}}[1m]) > 3'))
            use(server, client)
            wait_until(lambda: answers(ask, f'count_over_time(up{{job="{SLUG}"}}[1m]) > 6'))
            yield ask
        client.disconnect()


def use(server, client):
    made = server.post(f"/api/{EXAMPLE}", {"name": "a", "prompt": "{a}", "rows": [{"a": "1"}]})[1]
    wait_until(lambda: server.json(f"/api/{EXAMPLE}/{made['id']}")["status"] == "succeeded")
    assert "ok" in client.call("job:subscribe", {"id": "0" * 32})


@pytest.mark.long
@pytest.mark.parametrize("expression", QUERIES)
def test_each_query_of_the_dashboard_is_answered(watched, expression):
    assert watched(filled_in(expression)) is not None


@pytest.mark.long
def test_the_panels_that_every_service_has_show_something(watched):
    empty = {expression for expression in QUERIES if not watched(filled_in(expression))}
    assert {re.search(r"\b(app|http|socket|job|upstream|process|database)\w+", one)[0] for one in empty} <= {
        "upstream_calls_total",  # nothing was asked of it
        "app_backup_age_seconds",
    }


@pytest.mark.long
def test_nothing_is_wrong_with_a_fresh_service(watched):
    assert watched(f'up{{job="{SLUG}"}}')[0]["value"][1] == "1"
    assert watched('ALERTS{alertstate="firing"}') == []


def filled_in(expression: str) -> str:
    filled = expression.replace("$__rate_interval", "1m").replace("$job", SLUG).replace("$instance", ".*")
    assert "$" not in filled
    return filled
