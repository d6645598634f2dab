"""What the example's HTTP interface answers is what its description says, field by field."""

import json

import pytest

from chassis.tests.described import Described

FORM = "multipart/form-data; boundary=xxxx"
LIST = "/api/predictions"


@pytest.fixture(scope="module")
def api(shared_with):
    """A server on which nothing runs, and its description."""
    return Described(shared_with(JOBS_EMBEDDED="false"))


def part(name, text, extra=""):
    return f'--xxxx\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{text}\r\n'


def form(*parts):
    return ("".join(parts) + "--xxxx--\r\n").encode()


def test_each_answer_is_as_described(api):
    rows = [{"n": 1, "x": None}, {"n": 2.5, "x": True}]
    status, made = api.json("POST", LIST, {"name": "two", "prompt": "{n}", "rows": rows})
    assert status == 202
    path = f"{LIST}/{made['id']}"
    assert api.json("GET", path)[1]["columns"] == ["n", "x"]
    assert len(api.json("GET", f"{LIST}?per_page=1")[1]["items"]) == 1
    for query in ("", "?offset=1&limit=1", "?after=0"):
        assert api.json("GET", f"{path}/rows{query}")[1]["total"] == 2
    assert len(json.loads(api.ask("GET", f"{path}/results.json")[1])) == 2
    assert api.ask("GET", f"{path}/results.csv")[1].startswith('"n","x","output","status","error"')
    assert api.json("POST", f"{path}/requeue")[0] == 409
    assert api.json("POST", f"{path}/cancel")[1]["status"] == "cancelled"
    assert api.json("POST", f"{path}/cancel")[0] == 409
    assert api.json("POST", f"{path}/requeue", {"failed": True})[1]["status"] == "queued"
    assert api.json("GET", f"{LIST}/config")[1]["demo"] is True
    assert api.json("POST", f"{LIST}/example")[0] == 202
    assert api.json("GET", f"{LIST}/{'0' * 32}")[0] == 404
    assert api.json("GET", f"{LIST}/none")[0] == 404


def test_a_body_is_taken_for_what_it_says_it_is(api):
    rows = b'{"prompt": "{n}", "rows": [{"n": "1"}]}'
    for kind in ("text/plain", "application/xml", "application/octet-stream", ""):
        status, answer = api.json("POST", LIST, rows, Content_Type=kind)
        assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
    made = api.json("POST", LIST, rows)[1]
    path = f"{LIST}/{made['id']}/requeue"
    assert api.json("POST", path, b"failed=true", Content_Type="text/plain")[0] == 415
    for body in (b'{"failed": "yes"}', b'{"failed": 1}', b"[]", b"null", b"{"):
        assert api.json("POST", path, body)[0] == 400
    urlencoded = {"Content_Type": "application/x-www-form-urlencoded"}
    assert api.json("POST", LIST, b"prompt={text}&lines=a%0Ab", **urlencoded)[0] == 202
    file = part("prompt", "{a}"), part("file", "a,b\n1,2\n", '; filename="x.csv"')
    status, answer = api.json("POST", LIST, form(*file, file[1]), Content_Type=FORM)
    assert (status, answer["error"]["message"]) == (400, "file was given 2 times: send one file.")
    assert api.json("POST", LIST, form(*file), Content_Type=FORM)[0] == 202
    status, answer = api.json("POST", LIST, form(*file, part("prompt", "again")), Content_Type=FORM)
    assert (status, answer["error"]["message"]) == (400, "prompt was given more than once.")
    other = part("other", "a\n2\n", '; filename="y.csv"')
    for more, words in (
        (part("lines", "a"), "Send either file or lines, not both."),
        (other, "other has another file: send one, as file."),
        (part("lines", ""), None),
    ):
        status, answer = api.json("POST", LIST, form(*file, more), Content_Type=FORM)
        assert answer.get("error", {}).get("message") == words
    status, answer = api.json("POST", LIST, b"prompt={text}&lines=a&lines=b", **urlencoded)
    assert (status, answer["error"]["message"]) == (400, "lines was given more than once.")


def test_rows_are_asked_for_by_numbers_that_fit(api):
    made = api.json("POST", LIST, {"prompt": "{n}", "rows": [{"n": "1"}]})[1]
    for query in ("limit=0", "limit=501", "after=-1", "offset=x", "offset=99999999999", "after=1&after=2"):
        status, answer = api.json("GET", f"{LIST}/{made['id']}/rows?{query}")
        assert (status, answer["error"]["code"]) == (400, "invalid_parameter")
