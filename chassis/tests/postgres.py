"""A real PostgreSQL server on a free port, which tests may stop and start again."""

import contextlib
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chassis.tests.patience import wait_until
from chassis.tests.servers import LEAN, ROOT, free_port

CONNECTIONS = 100
TEMPLATE = "migrated"
MADE: set[str] = set()  # databases that this process has made
# A crash of the machine may cost the data, one of the server may not. The launcher of autovacuum would start a process
# for each of a run's hundreds of databases again and again.
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_wal_size=4GB")


def programs() -> list[Path]:
    """Return the folders with programs of a server, the newest last; TEST_POSTGRES_PROGRAMS names another one.

    Its extensions are then found beside it.
    """
    if other := os.environ.get("TEST_POSTGRES_PROGRAMS"):
        return [Path(other)]
    found = sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    elsewhere = shutil.which("initdb")
    return found or ([Path(elsewhere).parent] if elsewhere else [])


def installed() -> bool:
    """Return whether this machine has the programs of a server."""
    return bool(programs())


class Postgres:
    """A server in a folder of its own; `url` has no database name."""

    def __init__(self, data: str, connections: int) -> None:
        self.data, self.port, self._binaries, self.connections = data, free_port(), programs()[-1], connections
        self.url = f"postgresql+psycopg://app@127.0.0.1:{self.port}"
        self._user = another_user(data)
        self._create()

    def _create(self) -> None:
        self._run("initdb", "-A", "trust", "-U", "app", "-E", "UTF8", "-N")

    def _run(self, program: str, *options: str) -> None:
        """Run a program for the server's folder."""
        command = [*self._user, self.binary(program), "-D", self.data, *options]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def binary(self, name: str) -> str:
        return str(self._binaries / name)

    def start(self) -> None:
        """Start the server, and return when it answers."""
        options = ["-D", self.data, "-p", str(self.port), "-h", "127.0.0.1", "-k", self.data]
        options += [f"--{name}" for name in (*QUICK, f"max_connections={self.connections}")]
        command = [self.binary("postgres"), *options]
        who = {"user": "postgres", "group": "postgres", "extra_groups": []} if self._user else {}
        # Not by runuser, which stops itself when its child is stopped, and then waits for somebody to continue it.
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/", **who)
        wait_until(self.answers)

    def answers(self) -> bool:
        """Return whether the server takes connections."""
        ready = [self.binary("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, capture_output=True, check=False).returncode == 0

    def stop(self, how: str = "immediate") -> None:
        """Stop the server: `fast` ends its connections with a message, `immediate` without."""
        self._run("pg_ctl", "-m", how, "-w", "stop")
        self._process.wait()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all processes of the server within without ending them; the system accepts connections for it."""
        main = int((Path(self.data) / "postmaster.pid").read_text().splitlines()[0])
        os.kill(main, signal.SIGSTOP)  # first, so that no process is added
        found = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=True).stdout
        pids = [main, *(int(line) for line in found.split())]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


class Standby(Postgres):
    """A replica that follows another server, and answers reads."""

    def __init__(self, data: str, primary: Postgres) -> None:
        self._primary = primary
        super().__init__(data, primary.connections)

    def _create(self) -> None:
        self._run("pg_basebackup", "-R", "-c", "fast", "-U", "app", "-h", "127.0.0.1", "-p", str(self._primary.port))


def another_user(folder: str) -> list[str]:
    """Return the beginning of a command that runs as a user whom these programs accept, and give it the folder."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


@contextlib.contextmanager
def running(connections: int = CONNECTIONS, *, of: Postgres | None = None) -> Iterator[Postgres]:
    """Yield a server that runs, or a replica of one; outside of pytest's own folder, which no other user may enter."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as data:
        server = Postgres(data, connections) if of is None else Standby(data, of)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def pooled(program: str, url: str) -> Iterator[int]:
    """Yield the port of a pgbouncer in transaction mode, with two connections to the server at `url`."""
    host, _, server = url.rpartition("@")[2].partition(":")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host={host} port={server} user=app\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            "pool_mode = transaction\ndefault_pool_size = 2\n"
        )
        config.chmod(0o644)
        command = [*another_user(folder), program, "-q", str(config)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as process:
            try:
                yield port
            finally:
                process.terminate()


def make_template() -> None:
    """Create the migrated database that `database_of` copies, by a boot on the run's server."""
    url = os.environ["TEST_POSTGRES"]
    execute(f"CREATE DATABASE {TEMPLATE}")
    env = {**LEAN, "APP_ENV": "test", "DATABASE_URL": f"{url}/{TEMPLATE}"}
    subprocess.run([sys.executable, "-m", "chassis.boot"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)


def database_of(folder: Path, *, empty: bool) -> str:
    """Return the URL of a folder's database on the run's server, created if it does not exist."""
    name = name_of(folder)
    create(name, "template1" if empty else TEMPLATE)
    return f"{os.environ['TEST_POSTGRES']}/{name}"


def copied(url: str, folder: Path) -> str:
    """Return the URL of a folder's database, which becomes a copy of another one."""
    name = name_of(folder)
    template = url.rpartition("/")[2]
    if not create(name, template):
        execute(f"DROP DATABASE {name} WITH (FORCE)")
        create(name, template)
    return f"{os.environ['TEST_POSTGRES']}/{name}"


def forget(folder: Path) -> None:
    """Remove a test's database, if it has one: those of a run would fill several gigabytes."""
    if (name := name_of(folder)) in MADE:
        MADE.discard(name)
        execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def name_of(folder: Path) -> str:
    return f"of_{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"


def create(name: str, template: str) -> bool:
    """Copy a database, and return whether there was none of that name.

    It is copied by its files where the server has a choice, which costs half of copying by its log.
    """
    from psycopg.errors import DuplicateDatabase

    with contextlib.suppress(DuplicateDatabase):
        execute(f"CREATE DATABASE {name} TEMPLATE {template}{' STRATEGY FILE_COPY' if version() >= 150_000 else ''}")
        MADE.add(name)
        return True
    return False


@functools.cache
def version() -> int:
    """Return the server's version, as in 150004."""
    return int(execute("SHOW server_version_num"))


def execute(statement: str) -> str:
    """Return the first value of a statement's result, if it has one."""
    import psycopg

    url = os.environ["TEST_POSTGRES"].replace("+psycopg", "")
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return str((found.fetchone() or [""])[0]) if found.description else ""
