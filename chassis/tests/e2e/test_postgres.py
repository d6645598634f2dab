"""The same service on a real PostgreSQL."""

from chassis.tests.named import EXAMPLE
from chassis.tests.servers import needs_example


@needs_example
def test_migrations_jobs_and_live_results_work_on_postgresql(serve, client, postgres_url, wait_for):
    each_second = dict.fromkeys(("RETENTION_SCHEDULE", "SQLITE_UPKEEP_SCHEDULE"), "* * * * * *")
    server = serve(DATABASE_URL=postgres_url, ARTEFACTS_SCHEDULE="", **each_second)
    one = client(server)
    rows = [{"n": str(n)} for n in range(30)]
    made = server.post(f"/api/{EXAMPLE}", {"name": "x", "prompt": "{n}", "rows": rows})[1]
    one.call("job:subscribe", {"id": made["job_id"]})
    wait_for(lambda: server.json(f"/api/{EXAMPLE}/{made['id']}")["status"] == "succeeded")
    wait_for(lambda: any(event.endswith(":results") for event, *_ in one.received))
    assert server.json(f"/api/{EXAMPLE}/{made['id']}")["done"] == 30
    assert server.json("/readyz")["status"] == "ok"
    assert server.metric("app_database_size_bytes") > 1e6
    assert server.get("/api/jobs/a%00b")[0] == 400
    assert server.post(f"/api/{EXAMPLE}", {"name": "a\0b", "prompt": "{n}", "rows": rows})[0] == 400
    assert f'app_jobs{{kind="{EXAMPLE}",state="succeeded"}} 1.0' in server.get("/metrics")[1]
    ended_well = "app_schedule_last_success_age_seconds"
    for kind in ("retention", "sqlite_upkeep"):
        wait_for(lambda kind=kind: f'{ended_well}{{kind="{kind}"}}' in server.get("/metrics")[1])
