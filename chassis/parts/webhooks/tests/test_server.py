"""A real service tells a real receiver over TLS that a batch has ended."""

import ssl
import subprocess

import pytest

from chassis.parts.webhooks.tests.conftest import Receiver, body_of, receiving
from chassis.tests.named import EXAMPLE
from chassis.tests.servers import needs_example


@pytest.fixture
def secure(tool, tmp_path):
    """A receiver with a certificate for 127.0.0.1 in `receiver.pem`."""
    command = [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "receiver.key", "-out", "receiver.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    receiver, context = Receiver(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "receiver.pem", tmp_path / "receiver.key")
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    receiver.url = receiver.url.replace("http:", "https:")
    yield from receiving(receiver)


@needs_example
@pytest.mark.server
def test_a_service_tells_over_tls_that_a_batch_has_ended(serve, secure, tmp_path, wait_for):
    server = serve(WEBHOOKS="true", WEBHOOK_ALLOW="127.0.0.0/8", SSL_CERT_FILE=str(tmp_path / "receiver.pem"))
    status, made = server.post("/api/webhooks", {"url": secure.url})
    assert status == 201
    server.post(f"/api/{EXAMPLE}", {"name": "a", "prompt": "{a}", "rows": [{"a": "1"}]})
    wait_for(lambda: secure.calls, f"nothing was told:\n{server.log}")
    assert body_of(secure.calls[0])["type"] == "job.succeeded"
    wait_for(lambda: server.json("/api/webhooks")["items"][0]["last_outcome"] == "answered 200")
    assert server.metric("app_webhook_calls_total") == 1
    assert made["secret"] not in server.log
