"""Whatever a user sends becomes rows, a prompt, or an error with a sentence; never an exception of Python's own."""

import csv
import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.features.predictions import csv_records, prompt, upload
from chassis.errors import AppError
from chassis.tests.fuzzing import fuzz

pytestmark = pytest.mark.fuzz
MAX_ROWS, MOST = 20, 1_000_000
CSV_LIKE = st.text(st.sampled_from("ab,;\t|\"'\r\n\\ \x00\x1c\u2028\ufeff\x85ß"), max_size=80).map(str.encode)
TEMPLATE = st.text(st.sampled_from("ab {}\n\u2003"), max_size=40) | st.text(max_size=40)
VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NAME = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


def rows_or_error(read, sent):
    try:
        rows = read(sent, MAX_ROWS)
    except AppError as error:
        assert error.status == 400
        assert error.message
        return
    assert 1 <= len(rows) <= MAX_ROWS
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert all(isinstance(value, str) for row in rows for value in row.values())


@fuzz
@given(st.binary(max_size=300) | CSV_LIKE)
def test_any_bytes_are_read_as_rows_or_refused_with_a_sentence(data):
    rows_or_error(upload.read_csv, data)


@fuzz
@given(st.text(max_size=200))
def test_any_text_is_read_as_lines_or_refused_with_a_sentence(text):
    rows_or_error(upload.read_lines, text)


@fuzz
@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=3), max_size=5))
def test_any_rows_are_taken_or_refused_with_a_sentence(rows):
    rows_or_error(upload.check_rows, rows)


@fuzz
@given(
    names=st.lists(NAME, min_size=1, max_size=4, unique=True),
    data=st.data(),
    delimiter=st.sampled_from(csv_records.DELIMITERS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_what_the_csv_module_writes_is_read_back_as_it_was(names, data, delimiter, quoting, line_end, mark):
    value = VALUE.map(lambda text: text.replace("\r", "")) if line_end == "\n" else VALUE  # the writer leaves it bare
    row = st.tuples(*[value for _ in names]).filter(lambda fields: any(field.strip() for field in fields))
    written = data.draw(st.lists(row, min_size=1, max_size=5))
    delimiter = delimiter if len(names) > 1 else ","  # the header of a single column tells no other
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=line_end).writerows([names, *written])
    read = upload.read_csv((mark + buffer.getvalue()).encode(), MAX_ROWS)
    assert read == [dict(zip(names, fields, strict=True)) for fields in written]


@fuzz
@given(TEMPLATE, st.dictionaries(st.text("ab ", max_size=3).map(str.strip).filter(bool), st.text(max_size=9)))
def test_any_prompt_that_is_accepted_can_be_filled(template, row):
    try:
        prompt.check(template, list(row))
    except AppError as error:
        assert error.code == "unknown_column"
        return
    prompt.fill(template, row, MOST)


@fuzz
@given(st.text(max_size=60), st.text(max_size=20))
def test_a_value_never_becomes_a_part_of_the_template(text, value):
    assume("}" not in text and "{" not in text)
    assert prompt.fill(text + "{a}" + text, {"a": value, "b": "!"}, MOST) == text + value + text
    assert prompt.fill(text.replace("{", "{{") + "{{a}}", {"a": value}, MOST) == text + "{a}"
