"""Requests that break HTTP's rules are refused or cut, nothing behind them is taken for a request, and others go on."""

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.security.conftest import connect, rest, statuses

BEHIND = b"GET /livez HTTP/1.1\r\nHost: behind\r\nConnection: close\r\n\r\n"  # has to stay without an answer
REFUSED = {400, 408, 411, 413, 414, 417, 431, 501, 505}
POST = b"POST /api/bodies HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def get(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET /livez HTTP/1.1", *lines, b"", b""])


MALFORMED = {
    "no version": b"GET foo\r\n\r\n",
    "one word": b"GET\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a method that is none": b'G"T / HTTP/1.1\r\nHost: x\r\n\r\n',
    "an unknown version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "a space in the address": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "two hosts": get(b"Host: a", b"Host: b"),
    "a control character": get(b"Host: x", b"X-A: a\x01b"),
    "a null character": get(b"Host: x", b"X-A: a\x00b"),
    "a bare carriage return": get(b"Host: x", b"X-A: a\rX-B: b"),
    "a space before the colon": get(b"Host: x", b"Content-Length : 5"),
    "no colon": get(b"Host: x", b"nothing"),
    "a name that is none": get(b"Host: x", b"X(A): a"),
    "an empty name": get(b"Host: x", b": a"),
    "a folded header": get(b"Host: x", b"X-A: a", b" b"),
    "a folded first header": get(b" Host: x"),
    "bare line feeds": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "a bare line feed between headers": b"GET /livez HTTP/1.1\r\nHost: x\nX-A: a\r\n\r\n",
    "an unknown expectation": get(b"Host: x", b"Expect: a miracle"),
    "a long request line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": get(b"Host: x", b"X-A: " + b"a" * 20_000),
    "many headers": get(b"Host: x", *[b"X-%d: a" % number for number in range(500)]),
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length in another script": POST + "Content-Length: ²\r\n\r\n{}".encode("latin-1"),
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, then something else": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding behind a tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with an underscore": CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a bare line feed behind a chunk size": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "a chunk extension that is none": CHUNKED + b"2;\x00\r\n{}\r\n0\r\n\r\n",
    "a trailer that is none": CHUNKED + b"2\r\n{}\r\n0\r\nnothing\r\n\r\n",
}
if ASYNC_MODE != "threading":  # gunicorn's own worker lets it pass
    MALFORMED["no host"] = get(b"Accept: */*")
TRUNCATED = {
    "a request line": b"GET /live",
    "headers": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A",
    "a body": POST + b'Content-Length: 20\r\n\r\n{"rows":',
    "a chunk": CHUNKED + b'20\r\n{"rows":',
    "chunks": CHUNKED + b"2\r\n{}\r\n",
    "a form": POST.replace(b"application/json", b"application/x-www-form-urlencoded")
    + b"Content-Length: 90\r\n\r\nprompt={text}&lines=this+is+all",
    "an uploaded file": POST.replace(b"application/json", b"multipart/form-data; boundary=b")
    + b'Content-Length: 900\r\n\r\n--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n{a}\r\n'
    + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na\n1\n2',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_and_what_is_behind_it_is_no_request(site, name):
    connection = connect(site)
    connection.sendall(MALFORMED[name] + BEHIND)
    answers = statuses(rest(connection))
    assert len(answers) <= 1, answers
    assert set(answers) <= REFUSED


@pytest.mark.parametrize("name", TRUNCATED)
def test_a_request_that_ends_too_early_is_not_done(site, name):
    connection = connect(site)
    connection.sendall(TRUNCATED[name])
    connection.shutdown(1)
    assert set(statuses(rest(connection))) <= REFUSED


def test_after_all_that_the_same_worker_serves_and_found_no_mistake_of_its_own(site):
    pids, before, known = site.workers(), len(site.log), site.json("/api/bodies")["items"]
    for request in [*MALFORMED.values(), *TRUNCATED.values()]:
        connection = connect(site)
        connection.sendall(request)
        connection.close()
    assert site.get("/livez")[0] == 200
    assert site.workers() == pids
    assert site.json("/api/bodies")["items"] == known
    found = [line for line in site.log[before:].splitlines() if '"level": "error"' in line or "Traceback" in line]
    assert not found, found[:3]


@pytest.mark.skipif(ASYNC_MODE == "threading", reason="gunicorn's own worker reads on")
def test_a_body_that_nobody_reads_does_not_become_the_next_request(site):
    connection = connect(site)
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + BEHIND)
    assert statuses(rest(connection)) == [200]
    connection = connect(site)
    connection.sendall(get(b"Host: x", b"Content-Length: 3") + b"abc" + BEHIND)
    assert statuses(rest(connection)) == [200, 200]
