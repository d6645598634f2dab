"""The checks of `make audit`: weak code, secrets in the repository, licences, known vulnerabilities.

    python deploy/audit.py [code] [secrets] [licences] [vulnerabilities]

The exit status is 0 if nothing is found, 1 if something is, and 3 if nothing is found but the vulnerability database
could not be reached, so that no answer is not taken for safety.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
GOOD, FOUND, UNKNOWN = 0, 1, 3
NO_TEXT = re.compile(
    r"^\.secrets\.baseline$|^requirements.*\.txt$|/vendor/|\.png$|package-lock\.json$|^benchmarks/peers/.*\.txt$"
)
# Licences that any service can be shipped with; the LGPL is psycopg's, which is not modified here.
ALLOWED = "MIT;BSD;Apache;PSF;Python Software Foundation;ISC;ZPL;MPL;Mozilla;LGPL"
# It has known vulnerabilities since 2014: a database that does not list them is not a usable one.
KNOWN_TO_BE_BAD = "jinja2==2.4.1\n"


def code() -> int:
    """Look for weak code; [tool.bandit] in pyproject.toml lists the exceptions."""
    sources = ["app", "chassis", "examples", "deploy", "run_web.py", "gunicorn_config.py", "wsgi.py"]
    sources = [name for name in sources if (ROOT / name).exists()]  # a service may have deleted its examples
    return _run("bandit", "-q", "-ll", "-c", "pyproject.toml", "-r", *sources)


def secrets() -> int:
    """Look for secrets in the files that git tracks, except for the made-up ones in .secrets.baseline."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [name for name in listed.split("\0") if name and not NO_TEXT.search(name)]
    with tempfile.TemporaryDirectory() as folder:  # the hook updates moved lines in this copy, and exits with status 3
        baseline = shutil.copy(ROOT / ".secrets.baseline", folder)
        return _run("detect-secrets-hook", "--baseline", baseline, *files, good=(0, 3))


def licences() -> int:
    """Check the licences of the installed locked requirements, including the production extras."""
    names = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    names |= {"psycopg", "psycopg-binary", "redis", "boto3", "botocore", "s3transfer", "sentry-sdk", "protobuf"}
    names |= {"opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}
    names |= {"googleapis-common-protos", "celery", "kombu", "billiard", "vine", "amqp"}
    return _run("pip-licenses", "--partial-match", f"--allow-only={ALLOWED}", "--packages", *sorted(names))


def vulnerabilities() -> int:
    """Look for known vulnerabilities in all locked requirements, after a test that the database lists any."""
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.txt"
        known.write_text(KNOWN_TO_BE_BAD)
        done = _pip_audit("--no-deps", "-r", str(known))
    if not any(dependency.get("vulns") for dependency in _report(done.stdout)):
        print("The vulnerability database is unreachable: it is NOT known whether there are any.", file=sys.stderr)
        return UNKNOWN
    lists = [part for name in ("requirements.txt", "requirements-dev.txt") for part in ("-r", name)]
    done = _pip_audit("--require-hashes", *lists)
    unknown = [found["name"] for found in _report(done.stdout) if "skip_reason" in found]
    print(done.stderr.strip() if done.returncode else "No known vulnerabilities.")
    if unknown:
        print(f"Not known to the database: {', '.join(unknown)}", file=sys.stderr)
    return FOUND if done.returncode else UNKNOWN if unknown else GOOD


CHECKS = {check.__name__: check for check in (code, secrets, licences, vulnerabilities)}


def main(names: list[str]) -> int:
    """Run the named checks, or all of them; return the exit status."""
    statuses = []
    for name in names or list(CHECKS):
        print(f"== {name}", flush=True)
        statuses.append(CHECKS[name]())
    return FOUND if FOUND in statuses else max(statuses)


def _run(tool: str, *words: str, good: tuple[int, ...] = (0,)) -> int:
    """Run a tool; print its output if it finds something."""
    done = subprocess.run([BIN / tool, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode in good:
        return GOOD
    print(done.stdout + done.stderr)
    return FOUND


def _pip_audit(*words: str) -> subprocess.CompletedProcess[str]:
    options = ("--disable-pip", "--format=json", "--progress-spinner=off", "--timeout=15")
    command = [BIN / "pip-audit", *options, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _report(text: str) -> list[dict[str, object]]:
    try:
        found: list[dict[str, object]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError):
        return []
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
