"""REDIS_URL: what it may look like, and the sentence for what cannot work, before the service serves."""

import shutil
import subprocess

import pytest

from chassis.base.redis_check import check
from chassis.base.redis_client import client
from chassis.base.redis_url import RedisUrl, parse
from chassis.errors import BootError
from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS, PAUSE_SECONDS, wait_until
from chassis.tests.servers import free_port

HOSTS = (("one", 6379), ("two", 7000))


def settings_problem(url, **more):
    return dict(Settings(redis_url=url, **more).problems()).get("REDIS_URL")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis://one", RedisUrl("one", HOSTS[:1])),
        ("redis://:p%40@one:6379/3", RedisUrl("one", HOSTS[:1], password="p@", database=3)),
        ("rediss://u:p@one", RedisUrl("one", HOSTS[:1], tls=True, username="u", password="p")),
        ("rediss://one?ssl_cert_reqs=none", RedisUrl("one", HOSTS[:1], tls=True, checks_certificate=False)),
        ("redis://[::1]:7000/0", RedisUrl("one", (("::1", 7000),))),
        ("redis+cluster://one,two:7000", RedisUrl("cluster", HOSTS)),
        ("redis+sentinel://one:6379,two:7000/1/main", RedisUrl("sentinel", HOSTS, database=1, name="main")),
        ("unix:///run/redis.sock", RedisUrl("socket", path="/run/redis.sock")),
    ],
)
def test_every_form_is_understood(url, parts):
    assert parse(url) == parts
    assert settings_problem(url) is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("127.0.0.1:6379", "must look like redis://"),
        ("http://one", "must look like redis://"),
        ("redis://[", "must look like redis://"),
        ("redis://:", "needs a host and a port"),
        ("redis://one:port", "needs a host and a port"),
        ("redis://one:70000", "needs a host and a port"),
        ("redis://one/zero", "must have the number of a database"),
        ("redis://one,two", "names several servers"),
        ("redis+sentinel://one:26379", "must end with /number/name"),
        ("redis+cluster://one/2", "must not have the number"),
        ("redis://one?timeout=3", "has the unknown option timeout"),
        ("redis://one?ssl_cert_reqs=none", "begin it with rediss"),
        ("rediss://one?ssl_cert_reqs=maybe", "may have ssl_cert_reqs"),
        ("rediss://one?ssl_ca_certs=/nowhere/ca.pem", "/nowhere/ca.pem, which is no file"),
        ("unix://", "must name a socket"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(url, sentence):
    assert sentence in settings_problem(url)
    assert "Traceback" not in settings_problem(url)


def test_redis_can_be_required_in_production():
    required = {"require_redis_in_production": True}
    assert "is missing" in settings_problem("", app_env="production", **required)
    assert settings_problem("redis://one", app_env="production", **required) is None
    assert settings_problem("", app_env="development", **required) is None
    assert settings_problem("", app_env="production") is None


@pytest.fixture
def run(tool, tmp_path):
    """Return a function that starts a Redis with the given options and returns its port."""
    started = []

    def start(*options, port="--port"):
        number, folder = str(free_port()), tmp_path / str(len(started))
        folder.mkdir()
        command = [
            tool("redis-server"),
            "--dir",
            str(folder),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            port,
            number,
        ]
        started.append(subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL))
        return number

    yield start
    for process in started:
        process.kill()
        process.wait()


def answers(url):
    """Wait until the check passes, since a server that has just started may not listen yet."""
    wait_until(lambda: check(url, "acme") is None)


def test_a_user_with_the_named_rights_suffices_and_one_without_gets_a_sentence(run):
    rights = ["+@connection", "+@pubsub", "+@read", "+@write", "+@scripting", "+time"]
    good = ["--user", "good", "on", ">secret", "~acme:limits:*", "&acme", *rights]
    poor = ["--user", "poor", "on", ">secret", "resetchannels", "+@all"]
    port = run(*good, *poor)
    answers(f"redis://good:secret@127.0.0.1:{port}")  # pragma: allowlist secret
    with pytest.raises(BootError, match="Redis refuses REDIS_URL's user"):
        check(f"redis://poor:secret@127.0.0.1:{port}", "acme")  # pragma: allowlist secret
    with pytest.raises(BootError, match="check the password"):
        check(f"redis://good:wrong@127.0.0.1:{port}", "acme")  # pragma: allowlist secret
    with pytest.raises(BootError, match="check the number of the database"):
        check(f"redis://127.0.0.1:{port}/99", "acme")


def test_a_server_without_tls_behind_rediss_is_one_sentence(run):
    port = run()
    answers(f"redis://127.0.0.1:{port}")
    with pytest.raises(BootError, match="begins with rediss, but its server answers without TLS"):
        check(f"rediss://127.0.0.1:{port}", "acme")


def test_tls_is_checked_against_the_named_issuer(run, tool, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([tool("openssl"), *made, *names, *files], check=True, capture_output=True)
    secured = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    port = run("--port", "0", *secured, port="--tls-port")
    answers(f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}")
    with pytest.raises(BootError, match="certificate that is not trusted"):
        check(f"rediss://127.0.0.1:{port}", "acme")
    assert check(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none", "acme") is None


def test_sentinel_names_the_server(run, tool, tmp_path):
    port, watcher = run(), free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(f"port {watcher}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor main 127.0.0.1 {port} 1\n")
    with subprocess.Popen([tool("redis-server"), str(config), "--sentinel"], stdout=subprocess.DEVNULL) as process:
        try:
            answers(f"redis+sentinel://127.0.0.1:{watcher}/0/main")
            assert "No master found" in check(f"redis+sentinel://127.0.0.1:{watcher}/0/other", "acme")
        finally:
            process.kill()


def test_a_cluster_carries_messages_and_counts(run):
    from chassis.limits import Rate
    from chassis.limits.redis import RedisBuckets

    port = run("--cluster-enabled", "yes", "--cluster-port", str(free_port()))  # else 10,000 above, if there is one
    cli = shutil.which("redis-cli")
    if not cli:
        pytest.skip("redis-cli is missing")
    slots = [cli, "-p", port, "cluster", "addslotsrange", "0", "16383"]
    wait_until(lambda: b"OK" in subprocess.run(slots, capture_output=True, check=False).stdout)
    url = f"redis+cluster://127.0.0.1:{port}"
    answers(url)
    assert [RedisBuckets(url).take("a", (Rate(2, 3600),)).remaining for _ in range(2)] == [1, 0]
    with client(url, seconds=LIMIT_SECONDS).pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("acme")
        channel.get_message(timeout=LIMIT_SECONDS)
        client(url, seconds=LIMIT_SECONDS).publish("acme", "hello")
        assert wait_until(lambda: channel.get_message(timeout=PAUSE_SECONDS))["data"] == b"hello"


def test_a_redis_that_is_away_is_no_error_of_the_url():
    assert "refused" in check(f"redis://127.0.0.1:{free_port()}", "acme")
