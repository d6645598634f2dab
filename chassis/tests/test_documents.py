"""What the documents tell a reader to type, typed; and a list of what is typed elsewhere, or cannot be here."""

import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT, free_port, same_in_every_mode
from chassis.tests.documents import anchors, blocks, links, sections
from chassis.tests.patience import LIMIT_SECONDS, wait_until

pytestmark = same_in_every_mode
BIN = Path(sys.executable).parent
PLACES = ("README.md", "docs/*.md", "examples/*.md", "chassis/*.md", "chassis/docs/*.md")
TITLE = (ROOT / "README.md").read_text().splitlines()[0].removeprefix("# ")
ELSEWHERE = {
    ("README.md", TITLE): "the example's tests type it, and the gate",
    ("README.md", "What is yours and what is the chassis"): "a drawing",
    ("README.md", "The example over HTTP"): "the example's tests type it",
    ("README.md", "Tests"): "chassis/tests/test_suite.py asks for each order, busy processes and a young machine",
    (
        "chassis/docs/features-reference.md",
        "A feature in one file",
    ): "chassis/tests/e2e/test_serving.py puts it into a copy and uses it",
    ("chassis/docs/features-reference.md", "Rooms that miss nothing"): "no command",
    (
        "chassis/docs/features-reference.md",
        "Stream an answer",
    ): "chassis/tests/realtime/test_streams_documented.py puts it into an application",
    (
        "chassis/docs/features-reference.md",
        "Who may do what",
    ): "chassis/tests/security/test_keys.py puts it into an application",
    ("chassis/docs/architecture.md", "The way of one piece of work"): "a drawing",
    ("docs/deploy.md", "Compose"): "chassis/tests/deploy/proof/container_stack.py types it",
    ("docs/deploy.md", "Docker"): "chassis/tests/deploy/proof/container_image.py types it",
    (
        "docs/deploy.md",
        "Kubernetes",
    ): "needs a cluster; chassis/tests/deploy/proof/container_pods.py runs what it applies",
    (
        "docs/deploy.md",
        "Compose, several instances",
    ): "chassis/tests/deploy/test_compose_production_services.py runs its scripts",
    ("docs/deploy.md", "Kubernetes, several instances"): "needs a cluster; test_kubernetes_scaled.py renders it",
    (
        "docs/deploy.md",
        "systemd, several instances",
    ): "chassis/tests/deploy/test_nginx_nodes.py types what is nginx's; the rest needs systemd",
    ("docs/deploy.md", "Names"): "settings, which chassis/tests/security/attack/test_hosts.py tries",
    ("docs/deploy.md", "Workers"): "chassis/tests/jobs/live/test_workers.py starts and asks each",
    ("docs/deploy.md", "PostgreSQL"): "chassis/tests/e2e/test_postgres.py serves with one",
    ("chassis/docs/operations.md", "Accounts"): "chassis/parts/accounts/tests/test_admin.py types it",
    ("chassis/docs/operations.md", "Second factor"): "chassis/parts/accounts/tests/test_admin.py types it",
    ("chassis/docs/operations.md", "For development"): "chassis/tests/cli/test_first_hour.py types what they run",
    ("chassis/docs/operations.md", "E-mail"): "chassis/tests/mail/test_commands.py types it, at a server of its own",
    ("chassis/docs/operations.md", "S3"): "chassis/tests/db/test_backup_s3.py does it",
    (
        "chassis/docs/operations.md",
        "When everything is slow",
    ): "a line of the log, see chassis/tests/e2e/test_stalls.py",
    ("chassis/docs/operations.md", "Watching it"): "chassis/tests/deploy/test_prometheus.py runs what it names",
    (
        "chassis/docs/sign-in.md",
        "Keycloak, with roles",
    ): "settings, which chassis/parts/accounts/tests/test_oidc_roles.py tries",
    (
        "chassis/docs/sign-in.md",
        "Without passwords",
    ): "chassis/parts/accounts/tests/test_oidc_without_passwords.py types it",
    ("chassis/docs/operations.md", "Webhooks"): "chassis/parts/webhooks/tests/test_doors.py types it",
    ("chassis/UPGRADING.md", "Every upgrade"): "a version of before; chassis/tests/template/test_upgrade.py upgrades",
    (
        "chassis/docs/react.md",
        "A client in TypeScript and React",
    ): "chassis/tests/web/test_typed_client.py builds its files",
    ("chassis/docs/security.md", "Audits"): "chassis/tests/deploy/test_audit.py runs what it calls",
}
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "chassis").rglob("*.md")]
    if "node_modules" not in path.parts
)
WHOLE = {"chassis/docs/alerts.md", "chassis/docs/adding-a-feature.md"}  # all of it, the second by test_tutorial.py


def typed(block, folder, **env):
    """Run a block as a shell would where the virtual environment is active; return what it printed."""
    path = f"{BIN}:{os.environ['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(
        command, cwd=folder, env={**CLEAN, "APP_ENV": "test", **env, "PATH": path},
        capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def clone(tmp_path):
    """Return a copy of the project as a clone has it, with our virtual environment."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "clone" / name)
    (tmp_path / "clone/.venv").symlink_to(BIN.parent)
    return tmp_path / "clone"


def test_every_block_is_typed_somewhere():
    tests = "".join(path.read_text() for path in (ROOT / "chassis/tests").rglob("*.py"))
    forgotten = [
        (document, heading)
        for document in [str(path.relative_to(ROOT)) for name in PLACES for path in ROOT.glob(name)]
        for heading in sections(document)
        if (document, heading) not in ELSEWHERE
        and f'blocks("{document}", "{heading}")' not in tests
        and document not in WHOLE
    ]
    assert not forgotten


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    for link in links(document):
        name, _, anchor = link.partition("#")
        if name.startswith("examples/") and not (ROOT / "examples").exists():
            continue  # a service may delete them
        target = (ROOT / document).parent / name if name else ROOT / document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.long
def test_each_way_to_start_in_the_foreground(clone, serve):
    plain, with_options, for_development, check = blocks("chassis/docs/operations.md", "Start, stop, reload")[
        0
    ].splitlines()
    assert "imports" in typed(check, clone)
    for line in (plain, with_options, for_development):
        port = str(free_port())
        command = ["bash", "-c", f"cd {clone} && PATH={BIN}:$PATH exec {line.replace('8000', port)}"]
        assert serve(command=command, PORT=port).stop() == 0


@pytest.mark.long
def test_start_in_the_background_and_stop(clone):
    said = typed(blocks("chassis/docs/operations.md", "Start, stop, reload")[1], clone, PORT=str(free_port()))
    assert re.search(r"Serving, pid \d+.*Running, pid \d+.*: ready.*New workers.*Stopped", said, re.DOTALL)


@pytest.mark.long
def test_the_commands_about_jobs(clone, serve, tmp_path):
    server = serve(JOBS_EMBEDDED="false")
    env = database_of(server)
    job = typed("flask schedules run cleanup", clone, **env).split()[0]
    *_, work = blocks("chassis/docs/operations.md", "Jobs")[
        0
    ].splitlines()  # chassis/tests/cli/test_operations.py types the others
    worker = serve(command=["bash", "-c", f"cd {clone} && PATH={BIN}:$PATH exec {work}"], ready=False, **env)
    wait_until(lambda: server.json(f"/api/jobs/{job}")["state"] == "succeeded")
    worker.stop()


@pytest.mark.long
def test_the_commands_about_settings_and_the_database(clone):
    show, as_json, status, look, upgrade = blocks("chassis/docs/operations.md", "Settings and database")[0].splitlines()
    assert "GUNICORN_WORKERS=1  # default" in typed(show, clone)
    assert '"source": "environment"' in typed(as_json, clone)
    assert "CREATE TABLE jobs" in typed(look, clone)
    typed(f"! {status}\n{upgrade}\n{status}", clone)


@pytest.mark.long
def test_the_commands_about_backups(clone):
    typed("flask db upgrade", clone)
    said = typed(
        blocks("chassis/docs/operations.md", "Backups")[0].replace("/tmp/elsewhere", str(clone / "elsewhere")), clone
    )
    assert re.search(r"made .*/data/backups/app-.* is valid, .*made .*/elsewhere/app-", said, re.DOTALL)
    restored = typed(blocks("chassis/docs/operations.md", "Restore")[0].replace("latest ", "latest --yes "), clone)
    assert re.match(r"  flask db restore .*/data/app-\d{8}T\d{6}Z\.db --yes", restored.splitlines()[-1])


@pytest.mark.long
def test_the_commands_about_uploaded_files(clone):
    make, restore = blocks("chassis/docs/operations.md", "Uploaded files")[0].splitlines()
    typed("flask db upgrade", clone)
    assert re.search(r"made .*\.files\.tar\.zst, 0 files", typed(make, clone))
    assert "restored 0 files" in typed(restore.replace("latest", "latest --yes"), clone)


@pytest.mark.long
def test_the_commands_about_security(clone):
    words, as_json = typed(blocks("chassis/docs/security.md", "Before it goes on the internet")[0], clone).splitlines()
    assert (words, as_json) == ("No weaknesses found.", "[]")


@pytest.mark.long
def test_gunicorn_by_itself(clone, serve):
    make, install, start = blocks("docs/deploy.md", "gunicorn")[0].splitlines()
    assert (make, install.split()[-1]) == ("python3 -m venv .venv", "requirements.txt")  # as `make run` does
    start = start.replace("SECRET_KEY=...", f"SECRET_KEY={secrets.token_urlsafe(48)}")
    server = serve(command=["bash", "-c", f"cd {clone} && {start}"], ready=False)
    server.wait_ready()
    assert server.stop() in (0, -15)


@pytest.mark.long
def test_the_commands_of_the_alerts(clone, serve, tool, redis_url):
    tool("promtool", "prometheus")
    server = serve()
    text = "".join(
        block for heading in sections("chassis/docs/alerts.md") for block in blocks("chassis/docs/alerts.md", heading)
    )
    for line in sorted(set(text.replace("http://127.0.0.1:5000", server.url).splitlines())):
        # 1 is what a command finds (grep nothing, doctor something), 3 is run_web.py's word for "not running".
        typed(
            f"status=0; {line} || status=$?; case $status in 0|1|3) ;; *) exit $status;; esac",
            clone,
            **database_of(server),
            REDIS_URL=redis_url,
        )


def database_of(server):
    return {"DATABASE_URL": server.env["DATABASE_URL"]}
