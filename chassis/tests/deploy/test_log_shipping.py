"""deploy/vector and deploy/loki against the log that the service writes; neither program can be had for the tests."""

import json
import re
from datetime import datetime
from fnmatch import fnmatch

import pytest
from ruamel.yaml import YAML

from chassis.tests.conftest import ROOT
from chassis.tests.deploy.test_logrotate import Callers
from chassis.tests.named import SLUG
from chassis.tests.patience import wait_until

DEPLOY = ROOT / "deploy"
VECTOR = YAML(typ="safe").load(DEPLOY / "vector/vector.yaml")
COMPOSE = YAML(typ="safe").load(DEPLOY / "compose/compose.monitoring.yaml")
LOKI = YAML(typ="safe").load(DEPLOY / "loki/loki.yaml")
PROGRAM = VECTOR["transforms"]["lines"]["source"]
LEVELS = {"debug", "info", "warning", "error", "critical"}


@pytest.mark.long
def test_the_log_in_memory_loses_no_line_and_each_has_what_the_shipper_asks_for(serve, tmp_path):
    given = COMPOSE["services"]["app"]["environment"]
    assert given["LOG_FILE_MAX_BYTES"] == "${LOG_ROTATE_BYTES:-33554432}"
    env = {"LOG_FILE": f"{tmp_path}/app.log", "LOG_FILE_MAX_BYTES": "20000", "LOG_FILE_KEEP": given["LOG_FILE_KEEP"]}
    server = serve(**env)
    paths = (tmp_path / "app.log.1", tmp_path / "app.log")

    def numbers():
        text = "".join(path.read_text() for path in paths if path.exists())
        return [int(number) for number in re.findall(r'"asked-(\d+)-"', text)]

    callers = Callers(server.port)
    wait_until(lambda: paths[0].exists() and callers.go_on() is None)
    callers.stop()
    wait_until(lambda: (found := numbers()) and found == list(range(found[0], callers.asked)))
    assert server.stop() == 0
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    assert all({"level", "service", "timestamp"} <= line.keys() for line in lines)
    assert {line["service"] for line in lines} == {SLUG}
    assert all(datetime.fromisoformat(line["timestamp"]).tzinfo for line in lines)
    assert {line["level"] for line in lines} <= LEVELS


def test_the_shipper_asks_each_line_for_its_service_level_and_time():
    assert set(re.findall(r"\bline\.(\w+)", PROGRAM)) == {"level", "service", "timestamp"}


def test_labels_are_few_and_made_by_the_step_before():
    (sink,) = VECTOR["sinks"].values()
    fields = {field for text in sink["labels"].values() for field in re.findall(r"{{ (\w+) }}", text)}
    assert fields <= {"host", *re.findall(r"^\.(\w+) =", PROGRAM, re.MULTILINE)}  # host is the source's own
    assert set(sink["labels"]) == {"job", "host", "level"}
    (job,) = YAML(typ="safe").load(DEPLOY / "compose/prometheus.yml")["scrape_configs"]
    assert re.findall(r"line\.service\) \?\? \"(.*)\"", PROGRAM) == [job["job_name"]] == [SLUG]


def test_each_step_takes_what_another_gives():
    steps = {*VECTOR["sources"], *VECTOR["transforms"]}
    inputs = [name for one in (*VECTOR["transforms"].values(), *VECTOR["sinks"].values()) for name in one["inputs"]]
    assert set(inputs) == steps


def test_all_log_files_are_read_but_not_what_logrotate_has_packed():
    source = VECTOR["sources"]["files"]

    def read(path):
        matches = [[fnmatch(path, pattern) for pattern in source[name]] for name in ("include", "exclude")]
        return any(matches[0]) and not any(matches[1])

    written = COMPOSE["services"]["app"]["environment"]["LOG_FILE"]
    assert read(written)
    assert read(f"{written}.1")
    rotated = re.findall(r"(/var/\S+)/\*\.log", (DEPLOY / f"logrotate/{SLUG}").read_text())
    assert len(rotated) == 2
    for folder in rotated:
        assert read(f"{folder}/app.log")
        assert read(f"{folder}/app.log-20261121-1795294755")
        assert not read(f"{folder}/app.log-20261121-1795294755.gz")


def test_loki_keeps_its_data_on_the_volume_and_has_an_end():
    assert "loki:/loki" in COMPOSE["services"]["loki"]["volumes"]
    folders = [LOKI["common"]["path_prefix"], *LOKI["common"]["storage"]["filesystem"].values()]
    assert all(folder.startswith("/loki") for folder in [*folders, LOKI["compactor"]["working_directory"]])
    assert LOKI["compactor"]["retention_enabled"] is True
    assert LOKI["limits_config"]["retention_period"] == "168h"
    port = LOKI["server"]["http_listen_port"]
    assert VECTOR["sinks"]["loki"]["endpoint"].endswith(f":{port}}}")
