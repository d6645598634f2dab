"""Addresses that others choose lead nowhere inside: in every form, at every call, and within time and size."""

import contextlib
import errno
import socket
import ssl
import subprocess
import threading

import pytest

from chassis.errors import BadRequest
from chassis.jobs import registry
from chassis.parts.webhooks import addresses, calls, service
from chassis.parts.webhooks.addresses import Refused, checked, permitted, resolved
from chassis.parts.webhooks.tests.conftest import HERE, finish
from chassis.tests.patience import LIMIT_SECONDS, let_pass, wait_until

INSIDE = """
127.0.0.1 127.8.8.8 0.0.0.0 0.1.2.3 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1
255.255.255.255 168.63.129.16 192.88.99.1
:: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 2002:7f00:1:: 2002:a9fe:a9fe:: 2001:0:4136:e378:8000:63bf:3fff:fdd2
2001:db8::1 3fff::1 fe80::1 fe80::1%lo fec0::1 fc00::1 fd00:ec2::254 ff02::1 ff05::2 100::1 5f00::1
"""
SLOW = "slow.example"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"


@pytest.mark.parametrize("address", INSIDE.split())
def test_no_address_that_is_not_public_is_called(address):
    assert not permitted(address, ())


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_ones_are(address):
    assert permitted(address, ())


def test_a_setting_allows_networks_and_no_more():
    assert permitted("127.0.0.1", HERE)
    assert permitted("::ffff:127.0.0.1", HERE)
    assert not permitted("10.0.0.1", HERE)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "http:///x",
        "http://user:pw@example.org/",  # pragma: allowlist secret
        "http://@example.org/",
        "https://example.org/#x",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://exa mple.org/",
        "https://example.org/\r\nX-Other: 1",
        "https://example.org\\@127.0.0.1/",
        "https://[::1/",
        "https://ex\u00e4mple.org/",
        "https://" + "a" * 2_000,
        "http://127.0.0.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_an_address_that_can_never_be_called_is_refused_at_once(url):
    with pytest.raises(BadRequest, match="The address of a webhook"):
        checked(url, (), https_only=False)


def test_production_takes_https_alone():
    assert checked("https://example.org/", (), https_only=True)
    with pytest.raises(BadRequest, match="must begin with https"):
        checked("http://example.org/", (), https_only=True)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::ffff:7f00:1]"])
def test_a_name_that_leads_inside_is_refused_whatever_its_form(host):
    with pytest.raises(Refused, match="no public address"):
        resolved(addresses.urlsplit(f"http://{host}/"), ())


def test_the_address_that_was_checked_is_the_one_that_is_called(app, receiver, monkeypatch):
    """A name server that gives a good address to who checks and another one to who connects gains nothing."""
    asked, real = [], socket.getaddrinfo

    def rebinding(host, *args, **options):
        if host != "rebinding.example":
            return real(host, *args, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    service.create(f"http://rebinding.example:{receiver.port}/")
    finish()
    assert len(asked) == len(receiver.calls) == 1
    assert receiver.calls[0].headers["Host"] == f"rebinding.example:{receiver.port}"


def test_a_name_that_leads_inside_is_not_called(build, receiver, monkeypatch):
    app = build({"webhook_allow": ()})
    registry.job("work")(lambda context, payload: None)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **o: real("127.0.0.1" if host == "inside.example" else host, *a, **o)
    )
    with app.app_context():
        service.create(f"http://inside.example:{receiver.port}/")
        finish()
        assert "no public address" in service.listing()[0]["last_outcome"]
    assert not receiver.calls


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((b"",), "closed without an answer"),
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), "not HTTP/1"),
        ((b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000,), "headers are incomplete"),
        (
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",),
            "answered 204",
        ),
    ],
)
def test_answers_that_are_none_and_interim_ones(app, receiver, answer, told):
    service.create(receiver.url)
    receiver.answer = receiver.say_bytes(*answer)
    finish()
    assert told in service.listing()[0]["last_outcome"]


def test_an_answer_without_end_is_not_read(app, receiver):
    service.create(receiver.url)
    receiver.answer = receiver.say_bytes(b"HTTP/1.1 200 OK\r\n\r\n", forever=True)
    finish()
    assert service.listing()[0]["last_outcome"] == "answered 200"


def dripping(sock, drip, reached):
    """Accept, and send a byte again and again."""
    connection, _ = sock.accept()
    reached.set()
    with connection, contextlib.suppress(OSError):
        while True:
            connection.sendall(drip)
            let_pass(0.05)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_drips_is_cut_off_at_one_deadline(build, scheme):
    drip, reached = {"http": b"H", "https": b"\x16"}[scheme], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        thread = threading.Thread(target=dripping, args=(sock, drip, reached))
        thread.start()
        url = addresses.urlsplit(f"{scheme}://127.0.0.1:{sock.getsockname()[1]}/")

        def cut_off():
            with pytest.raises(calls.CallFailed, match=r"no answer within 0.3 s|TLS failed"):
                calls.post(url, lambda parts: resolved(parts, HERE), {}, b"{}", 0.3)
            return reached.is_set()  # on a busy machine the look-up alone may take that long

        wait_until(cut_off, "the receiver was never called")
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()


def test_a_resolver_that_hangs_is_given_up_at_the_same_deadline(monkeypatch):
    """More owners with such a name than may be looked up at once fail in time too, and none afterwards."""
    asked, go_on, usual = threading.Semaphore(0), threading.Event(), socket.getaddrinfo

    def hangs(host, *args, **options):
        if host != SLOW:  # what another test has left running looks names up too
            return usual(host, *args, **options)
        asked.release()
        go_on.wait(LIMIT_SECONDS)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    for _ in range(calls.LOOKUPS_AT_ONCE + 2):
        with pytest.raises(calls.CallFailed, match=r"no answer within 0\.05 s"):
            call_slow(0.05)
    taken = [asked.acquire(timeout=LIMIT_SECONDS) for _ in range(calls.LOOKUPS_AT_ONCE)]  # a thread may begin late
    assert all(taken)
    assert not asked.acquire(blocking=False)
    go_on.set()
    with pytest.raises(Refused, match="has no address"):
        call_slow(LIMIT_SECONDS)


def call_slow(seconds):
    url = addresses.urlsplit(f"http://{SLOW}/")
    return calls.post(url, lambda parts: resolved(parts, HERE), {}, b"{}", seconds)


def test_nobody_there_is_a_failure_in_words(app):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    service.create(f"http://127.0.0.1:{port}/")
    finish()
    assert service.listing()[0]["last_outcome"] == "the connection failed (Connection refused)"


def test_a_failure_is_in_words_under_eventlet_too(monkeypatch):
    def refuses(*_):
        raise OSError(errno.ECONNREFUSED, "ECONNREFUSED")

    monkeypatch.setattr(calls, "_connected", refuses)
    with pytest.raises(calls.CallFailed, match=r"failed \(Connection refused\)"):
        calls.post(addresses.urlsplit("http://there.example/"), lambda _: [], {}, b"{}", LIMIT_SECONDS)


def test_a_certificate_is_checked_for_the_host(build, tool, tmp_path, monkeypatch):
    command = [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=a.example"]
    command += ["-addext", "subjectAltName=DNS:a.example", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def ask(host):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            place = (socket.AF_INET, sock.getsockname())
            thread = threading.Thread(target=answer_once, args=(sock, server))
            thread.start()
            try:
                url = addresses.urlsplit(f"https://{host}:{sock.getsockname()[1]}/")
                return calls.post(url, lambda _: [place], {}, b"{}", LIMIT_SECONDS)
            finally:
                thread.join()

    with pytest.raises(calls.CallFailed, match="TLS failed"):
        ask("a.example")  # signed by nobody that is trusted
    monkeypatch.setattr(calls, "_context", lambda: trusting)
    assert ask("a.example") == 200
    with pytest.raises(calls.CallFailed, match="TLS failed"):
        ask("b.example")


def answer_once(sock, context):
    connection, _ = sock.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    except OSError:
        connection.close()
