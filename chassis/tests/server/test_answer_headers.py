"""An answer's headers are checked as gunicorn does, whether they were seen before or not."""

import pytest
from gunicorn.http import wsgi

from chassis.server.tuning import checked_once

CHECKS = [
    [("Content-Type", "text/plain"), ("X-Frame-Options", "DENY"), ("Content-Length", "12")],
    [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "x")],
    [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Keep-Alive", "5"), ("X-Padded", " word\t")],
    [("Set-Cookie", "a=1"), ("Set-Cookie", "a=1"), ("Content-Length", "1"), ("content-length", "2")],
]
REFUSED = [("Bad Name", "1"), ("X-Injected", "1\r\nX-More: 2"), ("X-Null", "\0"), ("X-Number", 1), (b"X-Bytes", "1")]


@pytest.fixture(scope="module")
def check():
    return checked_once(wsgi.Response.process_headers)


def answered(function, headers):
    answer = wsgi.Response(None, None, None)
    function(answer, headers)
    return vars(answer)


@pytest.mark.parametrize("headers", CHECKS)
def test_the_first_time_and_later_they_mean_what_gunicorn_takes_them_for(check, headers):
    for _ in range(3):
        assert answered(check, headers) == answered(wsgi.Response.process_headers, headers)


@pytest.mark.parametrize("header", REFUSED)
def test_what_gunicorn_refuses_is_refused_each_time(check, header):
    with pytest.raises(Exception) as refused:
        answered(wsgi.Response.process_headers, [header])
    for _ in range(3):
        with pytest.raises(refused.type):
            answered(check, [("X-Before", "1"), header])
