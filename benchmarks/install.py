"""Builds the client and installs the peers outside the project's own environment; existing ones are kept."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
CLIENT = CACHE / "client"
PACKAGES = {
    "gcc": ("gcc", "libc6-dev"),
    "taskset": ("util-linux",),
    "node": ("nodejs",),
    "npm": ("npm",),
    "nginx": ("nginx-light",),
    "redis-server": ("redis-server",),
    "redis-cli": ("redis-tools",),
}
GCC = ("gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


def install(peers: tuple[str, ...]) -> None:
    """Install everything that a comparison with these peers needs."""
    need("gcc", "taskset", *(("node", "npm") if "node" in peers else ()))
    CACHE.mkdir(exist_ok=True)
    build_client()
    for peer in peers:
        install_node() if peer == "node" else install_python(peer)


def need(*tools: str) -> None:
    """Install the Debian packages of missing tools, or exit with a sentence that names them."""
    missing = [package for tool in tools if not shutil.which(tool) for package in PACKAGES[tool]]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"The benchmark needs {', '.join(missing)}: install with apt-get install {' '.join(missing)}")
    print(f"Installing {' '.join(missing)} ...", file=sys.stderr)
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)


def build_client() -> None:
    """Compile the client."""
    sources = sorted((HERE / "client").glob("*.c"))
    with Stamp("client", *sources, HERE / "client/client.h") as stamp:
        if not stamp.fresh:
            run(*GCC, *map(str, sources), "-o", str(CLIENT))


def install_python(peer: str) -> None:
    """Create a virtual environment with a peer's locked requirements."""
    requirements = HERE / "peers" / f"{peer}.txt"
    with Stamp(peer, requirements) as stamp:
        if not stamp.fresh:
            print(f"Installing {requirements.name} ...", file=sys.stderr)
            run(sys.executable, "-m", "venv", "--clear", str(CACHE / peer))
            pip = (str(CACHE / peer / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "-q")
            run(*pip, "--require-hashes", "-r", str(requirements))


def install_node() -> None:
    """Install Node's socket.io from its lock file, without running package scripts."""
    files = [HERE / "peers/package.json", HERE / "peers/package-lock.json"]
    with Stamp("node", *files) as stamp:
        if not stamp.fresh:
            print("Installing socket.io ...", file=sys.stderr)
            (CACHE / "node").mkdir(exist_ok=True)
            for file in files:
                shutil.copy(file, CACHE / "node")
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", str(CACHE / "node"))


def run(*command: str) -> None:
    """Run a command; exit with its output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


class Stamp:
    """Records the sources that a file was built from; `fresh` if they are unchanged."""

    def __init__(self, name: str, *sources: Path) -> None:
        digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources) + sys.version.encode())
        self._path, self._digest = CACHE / f"{name}.made-from", digest.hexdigest()
        self.fresh = self._path.exists() and self._path.read_text() == self._digest

    def __enter__(self) -> "Stamp":
        return self

    def __exit__(self, failed: object, *_rest: object) -> None:
        if not failed:
            self._path.write_text(self._digest)
