"""/livez, /readyz and /healthz."""

import pytest
from prometheus_client import REGISTRY

from chassis.base.service import CHASSIS_VERSION, current
from chassis.wiring import wiring_of


def fails() -> str | None:
    raise OSError("cannot open postgresql://user:hush@db/app")


def test_a_living_process_says_so_whatever_else_is_broken(small):
    small.checks["database"] = fails
    small.stopping.append(True)
    answer = small.client.get("/livez")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "alive"})


def test_all_is_well(small):
    answer = small.client.get("/readyz")
    assert answer.status_code == 200
    fine = {"ok": True, "detail": "ok"}
    assert answer.get_json() == {"status": "ok", "checks": {"database": fine, "accepting": fine}}
    answer = small.client.get("/healthz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ok",
        "version": current().version,
        "chassis_version": CHASSIS_VERSION,
        "checks": {"database": True, "accepting": True},
    }


@pytest.mark.parametrize(
    ("name", "alias"), [("/livez", "/health/live"), ("/readyz", "/health/ready"), ("/healthz", "/health")]
)
def test_each_check_has_another_name(small, name, alias):
    small.checks["database"] = fails
    one, other = (small.client.get(path) for path in (name, alias))
    assert (one.status_code, one.get_json()) == (other.status_code, other.get_json())


def test_a_failed_check_makes_it_unready_and_says_why(small):
    small.checks["runner"] = lambda: "the job runner has stopped"
    answer = small.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["status"] == "unavailable"
    assert answer.get_json()["checks"]["runner"] == {"ok": False, "detail": "the job runner has stopped"}
    answer = small.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"] == {"database": True, "runner": False, "accepting": True}


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_a_check_that_raises_has_failed_and_tells_no_secret(small, path):
    small.checks["database"] = fails
    answer = small.client.get(path)
    assert answer.status_code == 503
    assert "hush" not in answer.text


def test_a_reason_without_words_is_a_failure_too(small):
    small.checks["odd"] = lambda: ""
    assert small.client.get("/healthz").status_code == 503
    assert small.client.get("/readyz").get_json()["checks"]["odd"]["ok"] is False


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_while_draining_it_is_not_ready(small, path):
    small.stopping.append(True)
    assert small.client.get(path).status_code == 503


def test_readiness_is_a_metric_too(small):
    small.client.get("/healthz")
    assert REGISTRY.get_sample_value("app_ready") == 1
    small.checks["database"] = fails
    small.client.get("/readyz")
    assert REGISTRY.get_sample_value("app_ready") == 0


def test_a_detail_is_told_and_does_not_make_it_unready(small):
    found = {"workers": "no worker for k"}
    wiring_of(small.app).health_details["workers"] = lambda: found["workers"]
    answer = small.client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")
    assert answer.get_json()["checks"]["workers"] == {"ok": True, "detail": "no worker for k"}
    assert "workers" not in small.client.get("/healthz").get_json()["checks"]
    found["workers"] = None
    assert "workers" not in small.client.get("/readyz").get_json()["checks"]
