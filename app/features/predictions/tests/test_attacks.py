"""The worst that a batch can be made of: it is refused early, in pieces, and costs in proportion to its size."""

import gc
import itertools
import json
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from app.features.predictions import json_rows, prompt, upload
from app.features.predictions.rows import MAX_COLUMNS, MAX_NAME_CHARACTERS
from chassis.errors import BadRequest

MAX_ROWS = 10_000
HOLD_SECONDS = 0.1  # of the hub, chassis/docs/security.md
FILE, BODY = 20_000_000, 2_000_000  # bytes that are taken by default
HEAD = '{"prompt": "x", "rows": '


@pytest.fixture
def longest_piece(monkeypatch):
    """Return a function that does some work, and returns the CPU seconds of its longest piece between two turns."""

    def measure(work):
        turns: list[float] = []
        clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=lambda _: turns.append(time.thread_time()))
        monkeypatch.setattr("chassis.base.concurrency.time", clock)
        gc.collect()
        gc.freeze()  # as the service does: what the tests have loaded is not looked through
        turns.append(time.thread_time())
        work()
        turns.append(time.thread_time())
        gc.unfreeze()
        return max(later - earlier for earlier, later in itertools.pairwise(turns))

    return measure


def refused(read, sent, max_rows=MAX_ROWS):
    with pytest.raises(BadRequest) as raised:
        read(sent, max_rows)
    assert len(raised.value.message) < 1_000
    return raised.value


def peak_bytes(work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


FILES = {
    "short rows": b"a\n" * (FILE // 2),
    "blank lines": b"a\n" + b"\n" * FILE,
    "blank rows": b"a,b\n" + b",\n" * (FILE // 2),
    "blank fields": b"," * FILE,
    "columns": b"a" + b",a" * (FILE // 2),
    "fields": b"a,b\n" + b"1," * (FILE // 2),
    "fields over lines": b"a,b\n" + b'"\n",' * (FILE // 4),
    "a field over lines": b"a,b\n" + (b'"' + b"\n" * 100_000 + b'",1\n') * (FILE // 100_000),
    "a long line": b"a" * FILE,
    "an open quote": b'a\n"' + b"x" * FILE,
    "only quotes": b'"' * FILE,
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_in_pieces_and_is_not_built(name, longest_piece):
    assert longest_piece(lambda: refused(upload.read_csv, FILES[name])) < HOLD_SECONDS
    assert peak_bytes(lambda: refused(upload.read_csv, FILES[name], 1_000)) < 30_000_000


def test_a_large_file_that_is_taken_is_read_in_pieces(longest_piece):
    names = ",".join(f"c{number}" for number in range(MAX_COLUMNS))
    row = ",".join("1" for _ in range(MAX_COLUMNS))
    wide = "\n".join([names, *[row] * MAX_ROWS]).encode()
    assert longest_piece(lambda: upload.read_csv(wide, MAX_ROWS)) < HOLD_SECONDS


@pytest.mark.parametrize("text", ["\n" * FILE, "a\n" * (FILE // 2), "\r" * FILE, "a" * FILE, "\r\n" * (FILE // 2)])
def test_bad_lines_are_refused_in_pieces(text, longest_piece):
    assert longest_piece(lambda: refused(upload.read_lines, text)) < HOLD_SECONDS


BODIES = {
    "rows": "[" + '{"a":0},' * (BODY // 8) + "{}]",
    "empty rows": "[" + "{}," * (BODY // 3) + "{}]",
    "numbers": "[" + "1," * (BODY // 2) + "1]",
    "lists": "[" + "[]," * (BODY // 3) + "[]]",
    "nested lists": "[" + ("[" * 100 + "]" * 100 + ",") * (BODY // 201) + "1]",
    "a list as a value": '[{"a":[' + "[]," * (BODY // 3) + "[]]}]",
    "columns": "[{" + ",".join(f'"{number}":0' for number in range(BODY // 9)) + "}]",
    "a column again and again": "[{" + '"a":0,' * (BODY // 6) + '"a":0}]',
    "bad values": "[{" + ",".join(f'"{number}":[]' for number in range(BODY // 10)) + "}]",
    "digits": '[{"a":' + "1" * BODY + "}]",
    "spaces": "[" + " " * BODY,
    "an open text": '[{"a":"' + "x" * BODY,
    "escapes": '[{"a":"' + "\\u00e9" * (BODY // 6) + '"}]',
    "braces": "[" + "{" * BODY,
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_in_pieces_and_is_not_built(name, longest_piece):
    body = HEAD + BODIES[name] + "}"
    assert longest_piece(lambda: refused(json_rows.read, body)) < HOLD_SECONDS
    assert peak_bytes(lambda: refused(json_rows.read, body, 1_000)) < 10_000_000


def test_a_large_body_that_is_taken_is_read_in_pieces(longest_piece):
    rows = [{chr(97 + number): "" for number in range(26)} for _ in range(8_500)]
    body = json.dumps({"prompt": "x", "rows": rows})
    assert longest_piece(lambda: json_rows.read(body, MAX_ROWS)) < HOLD_SECONDS


def test_columns_are_compared_in_proportion_to_their_number():
    def seconds(columns: int) -> float:
        header = ",".join(f"column{number}" for number in range(columns)).encode()
        return min(once(header) for _ in range(20))

    def once(header: bytes) -> float:
        began = time.thread_time()
        refused(upload.read_csv, header + b"\n1\n")
        return time.thread_time() - began

    assert seconds(40_000) < 4 * seconds(20_000) + 0.01


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([f"c{number}" for number in range(MAX_COLUMNS + 1)], f"more than {MAX_COLUMNS} columns"),
        (["c" * (MAX_NAME_CHARACTERS + 1)], f"longer than {MAX_NAME_CHARACTERS} characters"),
        (["c" * 150, "c" * 150], "Duplicate"),
    ],
)
def test_columns_and_their_names_have_limits(names, words):
    row = dict.fromkeys(names, "1")
    assert words in refused(upload.read_csv, ",".join(names).encode() + b"\n1\n").message
    if len(row) == len(names):
        assert words in refused(json_rows.read, json.dumps({"rows": [row]})).message


def test_long_names_are_not_stored_again_and_again_without_end():
    names = ["c" * 190 + f"{number:03}" for number in range(MAX_COLUMNS)]
    data = "\n".join([",".join(names), *["," * (MAX_COLUMNS - 2) + "1,1"] * 5_000]).encode()
    assert refused(upload.read_csv, data).code == "rows_too_large"


def test_a_filled_prompt_is_measured_before_it_is_built():
    template, row = "{a}" * 6_660, {"a": "x" * 100_000}

    def fill() -> None:
        with pytest.raises(prompt.PromptTooLong, match="666,000,000 characters; the limit is 200,000"):
            prompt.fill(template, row, 200_000)

    assert peak_bytes(fill) < 2_000_000
    assert prompt.fill("{a}" * 2, {"a": "x" * 50_000}, 100_000) == "x" * 100_000


def test_an_unknown_column_is_told_in_a_short_sentence():
    names = [f"{number:0190}" for number in range(MAX_COLUMNS)]
    with pytest.raises(BadRequest) as raised:
        prompt.check("{" + "b" * 10_000 + "}", names)
    assert len(raised.value.message) < 2_000


@pytest.mark.parametrize(
    "text",
    ['{"rows": [{"a": 1}]} x', '{"rows": [{"a": 01}]}', '{"rows": [{"a": 1.}]}', '{"rows": [{"a": 1}]', "[]", "null"],
)
def test_what_is_no_json_object_is_refused(text):
    assert refused(json_rows.read, text).code == "invalid_body"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "tru", "'a'", '"\\ud800"', '"\\u0000"', '"a\nb"', "{}", "[]", ""])
def test_what_is_no_value_is_refused(value):
    assert refused(json_rows.read, HEAD + '[{"a": ' + value + "}]}").code == "invalid_body"


def test_values_keep_the_form_they_are_written_in():
    body = HEAD + '[{"a": 1.10, "b": 1e5, "c": true, "d": null, "e": "\\ud83d\\ude00", "f": -0}]}'
    fields, rows = json_rows.read(body, MAX_ROWS)
    assert fields == {"prompt": "x"}
    assert rows == [{"a": "1.10", "b": "1e5", "c": "true", "d": "", "e": "😀", "f": "-0"}]
