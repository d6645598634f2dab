"""PostgreSQL, Redis and Caddy take the settings of deploy/compose/production."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT, free_port
from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.production import FOLDER
from chassis.tests.deploy.proof.container_client import Visitor
from chassis.tests.patience import wait_until
from chassis.tests.servers import same_in_every_mode

pytestmark = needs("deploy/compose/production")


@pytest.fixture
def server(tool):
    """Run PostgreSQL with the shipped settings; give the environment in which the scripts find it."""
    tool("psql", "postgresql")
    binaries, port = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1], free_port()
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="production-") as name:
        folder, data = Path(name), Path(name, "data")
        (folder / "password").write_text("of-the-app\n")
        (folder / "superuser").write_text("of-postgres\n")
        shutil.copy(FOLDER / "postgresql.conf", folder)
        (folder / "backups").mkdir()
        for path in (folder, *folder.iterdir()):
            path.chmod(0o777)
        initialise = ["initdb", "-D", data, "-U", "postgres", "-N", "--auth-local=trust", "--auth-host=scram-sha-256"]
        initialise += [f"--pwfile={folder}/superuser"]
        program, *options = map(str, initialise)
        subprocess.run([*as_postgres, binaries / program, *options], check=True, capture_output=True, cwd="/")
        started = [binaries / "postgres", "-D", data, "-c", f"config_file={folder}/postgresql.conf", "-p", port]
        started += ["-c", "listen_addresses=127.0.0.1", "-k", folder]
        with subprocess.Popen([*as_postgres, *map(str, started)], stderr=subprocess.DEVNULL, cwd="/"):
            ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            wait_until(lambda: subprocess.run(ready, check=False).returncode == 0)
            yield {
                **CLEAN,
                "PGPORT": str(port),
                "PGPASSWORD": "of-postgres",  # pragma: allowlist secret
                "DATABASE_PASSWORD_FILE": str(folder / "password"),
                "BACKUPS": str(folder / "backups"),
                "SOCKET": str(folder),
            }
            stop = [binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"]
            subprocess.run([*as_postgres, *map(str, stop)], check=True, capture_output=True, cwd="/")


def run(script, *arguments, **env):
    """Run a script as its container does."""
    done = subprocess.run(["sh", FOLDER / script, *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def told(env, statement, database="postgres"):
    command = ["psql", "-h", env["SOCKET"], "-U", "postgres", "-d", database, "-qAt", "-c", statement]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()


def flask(env, *arguments):
    url = f"postgresql://app:of-the-app@127.0.0.1:{env['PGPORT']}/app"  # pragma: allowlist secret
    given = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": url}
    command = [sys.executable, "-m", "flask", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_postgresql_takes_the_settings_makes_the_database_once_and_is_backed_up(server):
    for _ in range(2):
        run("create.sh", **server, PGHOST=server["SOCKET"])
    assert told(server, "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'app'") == ["f|f|f"]
    assert told(server, "SHOW shared_buffers") == ["256MB"]
    flask(server, "db", "upgrade")
    assert "up to date" in flask(server, "db", "upgrade")
    for _ in range(2):
        run("backup.sh", "now", **server, PGHOST="127.0.0.1", PGUSER="postgres")
    (*_, newest) = sorted(Path(server["BACKUPS"]).glob("app-*.dump"))
    assert (newest.stat().st_mode & 0o777, newest.with_suffix(".dump.sha256").exists()) == (0o600, True)
    subprocess.run(["sha256sum", "-c", "--quiet", f"{newest}.sha256"], cwd=newest.parent, check=True)
    assert told(server, "SELECT datname FROM pg_database WHERE datname = 'app_drill'") == []
    listed = subprocess.run(["pg_restore", "--list", newest], capture_output=True, text=True, check=True).stdout
    assert "TABLE DATA public alembic_version" in listed


def test_old_backups_go_and_a_damaged_one_is_none(server):
    run("create.sh", **server, PGHOST=server["SOCKET"])
    folder = Path(server["BACKUPS"])
    for day in range(1, 6):
        old = folder / f"app-2026010{day}T020000Z.dump"
        old.write_text("x")
        os.utime(old, (1, 1))
    run("backup.sh", "now", **server, PGHOST="127.0.0.1", PGUSER="postgres")
    names = sorted(path.name for path in folder.glob("app-*.dump"))
    assert names[:2] == ["app-20260104T020000Z.dump", "app-20260105T020000Z.dump"]
    assert len(names) == 3
    script = folder / "backup.sh"
    script.write_text(
        (FOLDER / "backup.sh").read_text().replace('    prove "', '    echo "no dump" >"$FOLDER/.$name"; prove "')
    )
    env = {**server, "PGHOST": "127.0.0.1", "PGUSER": "postgres"}
    done = subprocess.run(["sh", script, "now"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert sorted(path.name for path in folder.glob("app-*.dump")) == names


def test_redis_takes_its_settings(tool, tmp_path):
    config, port = tmp_path / "redis.conf", free_port()
    config.write_text((FOLDER / "redis.conf").read_text().replace("dir /data", f"dir {tmp_path}"))
    command = [tool("redis-server"), str(config), "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "x"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: process.poll() is not None or redis(port, "ping") == ["PONG"])
            names = ("maxmemory", "maxmemory-policy", "appendonly")
            found = {name: redis(port, "config", "get", name)[1] for name in names}
        finally:
            process.kill()
    assert found == {"maxmemory": str(192 * 1024**2), "maxmemory-policy": "noeviction", "appendonly": "yes"}


def redis(port, *words):
    """Return the lines of an answer of Redis; nothing while it does not answer."""
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(port), "-a", "x", "--no-auth-warning", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


@pytest.fixture
def site(serve, tool, tmp_path):
    """Caddy before two nodes that share a database."""
    tool("openssl")
    (tmp_path / "make_secrets.sh").write_bytes((FOLDER.parent / "make_secrets.sh").read_bytes())
    subprocess.run(["sh", tmp_path / "make_secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    shared = {"TRUSTED_PROXIES": "127.0.0.1", "DATABASE_URL": f"sqlite:///{tmp_path}/shared.db"}
    nodes = [serve(**shared), serve(**shared)]
    text = (FOLDER / "Caddyfile").read_text().replace("/run/secrets", str(tmp_path / "secrets"))
    for name, node in zip("ab", nodes, strict=True):
        text = text.replace(f"app-{name}:5000", f"127.0.0.1:{node.port}")
    ports = {name: free_port() for name in ("8443", "8080", "8081")}
    for name, port in ports.items():
        text = text.replace(f":{name} {{", f":{port} {{\n\tbind 127.0.0.1")
    (tmp_path / "Caddyfile").write_text(text)
    command = [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")]
    env = {**CLEAN, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    visitor = Visitor(f"https://127.0.0.1:{ports['8443']}", tmp_path / "secrets/tls_certificate")
    with (tmp_path / "caddy.log").open("wb") as log, subprocess.Popen(command, env=env, stderr=log) as process:
        try:
            wait_until(lambda: process.poll() is not None or visitor.get("/livez")[0] == 200)
            yield visitor, nodes
        finally:
            process.terminate()


@pytest.mark.long
@same_in_every_mode
def test_caddy_goes_on_with_one_instance_while_the_other_is_replaced(site):
    visitor, nodes = site
    assert visitor.get("/metrics")[0] == 403
    for node in nodes:
        node.stop()
        assert [visitor.get("/api/jobs")[0] for _ in range(4)] == [200] * 4
        visitor.call_by_websocket()
        node.start()
        node.wait_ready()
        wait_until(lambda node=node: serves(visitor, node))


def serves(visitor, node):
    """Whether new visitors reach the instance."""
    before = node.metric("http_requests_total")
    visitor.get("/api/jobs")
    return node.metric("http_requests_total") > before + 1  # the look itself is one
