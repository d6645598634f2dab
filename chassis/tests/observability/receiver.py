"""A local server that takes Sentry's envelopes and OpenTelemetry's spans, and answers as the outside API."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = {"model": "fake", "choices": [{"message": {"role": "assistant", "content": "yes"}}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.got.append((self.path, dict(self.headers), body))
        answer = json.dumps(ANSWER).encode() if self.path.endswith("/chat/completions") else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    """Keeps what it got, and can read it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.where = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def of(self, path: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for asked, headers, body in list(self.got) if asked == path]

    def errors(self) -> list[dict]:
        """Return the events of the envelopes."""
        items = [body.split(b"\n") for _, body in self.of("/api/7/envelope/")]
        return [json.loads(lines[2]) for lines in items if json.loads(lines[1])["type"] == "event"]

    def spans(self) -> list:
        """Return the spans that came."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        parsed = [ExportTraceServiceRequest.FromString(body) for _, body in self.of("/v1/traces")]
        return [
            span for one in parsed for whole in one.resource_spans for part in whole.scope_spans for span in part.spans
        ]

    def resource(self) -> dict[str, str]:
        """Return what the spans say of their process."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = ExportTraceServiceRequest.FromString(self.of("/v1/traces")[0][1]).resource_spans[0].resource
        return {pair.key: pair.value.string_value for pair in found.attributes}


def attributes(span) -> dict[str, object]:
    """Return a span's attributes."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}
