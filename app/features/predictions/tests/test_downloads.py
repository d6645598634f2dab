"""What a spreadsheet, a browser and a file system can be trusted with, and other sites' pages cannot."""

import csv
import http.client
import io
import json
import time
import urllib.parse

import pytest

from app.features.predictions import export, upload
from chassis.tests.patience import LIMIT_SECONDS
from chassis.web import csv_line

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "\rx", "\nx", "-", "+", "=", "\uff1d1+1"]
FORMULAS += ["\ufeff=1+1", "\ufeff\ufeff@SUM(1)", "\ufeff\tx", "-5x", "-5\n"]
HARMLESS = ["-5", "+3.25", "-1e-9", "a=1", "1-2", "", " x", "'=1", "Vibrio", "1;-5;+3.2\t-1e5;x", "a; b", "a,-b"]
HARMLESS += ["Two:\n- one\n+ two\n-5", "\ufeffx"]
INNER = {  # and what becomes of it
    "a;=1+1": "a;'=1+1",
    "a;;-2+3;b": "a;;'-2+3;b",
    "a\t@SUM(1)": "a\t'@SUM(1)",
    "a;\ufeff=1": "a;\ufeff'=1",
    "a\n=1+1": "a\n'=1+1",
    "a\r\n-cmd|' /C calc'!A0": "a\r\n'-cmd|' /C calc'!A0",
    ";=1;=2": ";'=1;'=2",
    "\t=1": "'\t'=1",
    "=1;=2": "'=1;'=2",
}


def written(cells, monkeypatch):
    row = {"input": dict(enumerate(cells)), "output": cells[0], "status": "succeeded", "error": None}
    monkeypatch.setattr(export, "rows", lambda _: [row])
    text = "".join(export.as_csv({"id": "1", "columns": cells}))
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_cell_that_would_be_a_formula_is_text(monkeypatch):
    header, row = written(FORMULAS, monkeypatch)
    quoted = [f"'{cell}" for cell in FORMULAS]
    assert header[:-3] == quoted
    assert row[:-2] == [*quoted, quoted[0]]


def test_all_other_cells_and_numbers_are_as_they_were(monkeypatch):
    header, row = written(HARMLESS, monkeypatch)
    assert header[:-3] == row[:-3] == HARMLESS


def test_a_cell_of_another_separator_is_text_too(monkeypatch):
    header, row = written(list(INNER), monkeypatch)
    assert header[:-3] == row[:-3] == list(INNER.values())


def test_every_field_is_quoted():
    assert csv_line(["a", "", 'x"y']) == '"a","","x""y"\r\n'


@pytest.mark.parametrize("part", [";", "\ufeff", "\t", ";\ufeff", ";-1", "=", "-", "1", ";-1.", ";-1e", "\n-"])
def test_looking_for_formulas_takes_time_in_proportion_to_the_text(part):
    def seconds(times: int) -> float:
        began = time.thread_time()
        csv_line([part * times, ";" + part * times, "-" + part * times])
        return time.thread_time() - began

    assert seconds(40_000) < 4 * seconds(20_000) + 0.05


def test_a_download_can_be_sent_again(monkeypatch):
    batch = {"id": "1", "columns": ["a"]}
    for _ in range(3):
        cells = dict.fromkeys(batch["columns"], "x")
        row = {"input": cells, "output": "y", "status": "succeeded", "error": None}
        monkeypatch.setattr(export, "rows", lambda _, row=row: [row])
        read = upload.read_csv("".join(export.as_csv(batch)).encode(), 10)
        assert len(read) == 1
        batch["columns"] = list(read[0])
    assert batch["columns"][-3:] == ["output_3", "status_3", "error_3"]
    assert export.result_columns([" output "])[0] == "output_2"


def test_downloads_are_kept_by_no_cache(ask):
    made = ask.post("/api/predictions", {"prompt": "{a}", "rows": [{"a": "1"}]})[1]
    for ending in ("csv", "json"):
        answer = ask(f"/api/predictions/{made['id']}/results.{ending}")
        assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.fixture
def ask(shared):
    """Return a function that gives a path's answer from a real server, without tidying up the path."""

    def get(path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=LIMIT_SECONDS)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    get.post = shared.post
    return get


def test_names_and_ids_of_downloads_reach_no_header_and_no_file(ask):
    name = 'x"; filename="evil.exe\r\nX-Evil: 1\r\n\r\n../../é'
    body = {"name": name, "prompt": "{a}", "rows": [{"a": "=1+1"}]}
    status, made = ask.post("/api/predictions", body)
    assert status == 202
    for ending in ("csv", "json"):
        answer = ask(f"/api/predictions/{made['id']}/results.{ending}")
        expected = f'attachment; filename="x-filename-evil.exe-X-Evil-1.{ending}"'
        assert answer.headers["Content-Disposition"] == expected
        assert answer.headers["X-Evil"] is None
    assert "'=1+1" in ask(f"/api/predictions/{made['id']}/results.csv").text
    for path in (
        "..",
        "../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2f.env",
        "..%5c..%5c.env",
    ):
        for tail in ("", "/results.csv"):
            answer = ask(f"/api/predictions/{path}{tail}")
            assert answer.status in (400, 404, 405), path
            assert "root:" not in answer.text
    unsafe = urllib.parse.quote("a\r\nX-Evil: 1")
    assert ask(f"/api/predictions/{unsafe}").headers["X-Evil"] is None


def total(ask):
    return json.loads(ask("/api/predictions").text)["total"]


def test_another_sites_page_starts_nothing_on_a_laptop(ask):
    before = total(ask)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = ask("/api/predictions/example", "POST", headers=headers)
        assert (answer.status, json.loads(answer.text)["error"]["code"]) == (403, "csrf_failed")
    assert total(ask) == before
    assert ask("/api/predictions/example", "POST").status == 202, "a program"
