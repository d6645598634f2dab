"""What users send, and the sentence each mistake gets."""

import pytest

from app.features.predictions import prompt, upload
from chassis.errors import BadRequest


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "csv_empty", "empty"),
        (b"a,b\n", "no_rows", "no rows"),
        (b"a,b\n1,2\n1,2,3\n\n1,2,,4\n", "csv_malformed", "more fields than the header's 2 start on line 3 and 5."),
        (b'a,b\n1,2\n"1,2\n3,4\n', "csv_malformed", "starts on line 3 has an unclosed quote"),
        (b'a,b\n"1,2\n3,"4"\n', "csv_malformed", "Line 3 has an undoubled quote within a field, or the row"),
        (b'a,b\n"1,2\n3,"4"\n', "csv_malformed", "starts on line 2 has an unclosed quote"),
        (b"a,a,b,b,c\n1,2,3,4,5\n", "csv_header", "Duplicate column names: a and b."),
        (b"a,,b,,c\n1,2,3,4,5\n", "csv_header", "Columns without a name: 2 and 4."),
        (b",a,a\n1,2,3\n", "csv_header", "without a name: 1. Duplicate column names: a."),
        (b"a,\n1,2\n", "csv_malformed", "start on line 2"),
        ("a\nJörg\n".encode("latin-1"), "csv_encoding", "Line 2 is not UTF-8"),
        (b"\xff\xfea\0\n\0x", "csv_encoding", "UTF-16"),
        (b"a\n\x00\n", "csv_encoding", "Line 2 contains a null character"),
        (b"a\n" + b"1\n" * 11, "too_many_rows", "at most 10 are"),
    ],
)
def test_a_bad_file_is_refused_with_a_clear_sentence(data, code, words):
    with pytest.raises(BadRequest) as raised:
        upload.read_csv(data, max_rows=10)
    assert raised.value.code == code
    assert words in raised.value.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_file_is_read_with_any_usual_delimiter(delimiter):
    data = "\ufeffname,note\r\nÅsa,1\r\n\r\nBo,2\r\n".replace(",", delimiter).encode()
    assert upload.read_csv(data, 10) == [{"name": "Åsa", "note": "1"}, {"name": "Bo", "note": "2"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_a_file_is_read_as_spreadsheets_and_editors_write_it(encoding, end, last):
    data = f"name\tnote\nÅsa\t1,5\nBo\t2{last}".replace("\n", end).encode(encoding)
    assert upload.read_csv(data, 10) == [{"name": "Åsa", "note": "1,5"}, {"name": "Bo", "note": "2"}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sep=;\na;b\n1,5;2\n", [{"a": "1,5", "b": "2"}]),
        ('"sep=;"\r\na;b\r\n1,5;2\r\n', [{"a": "1,5", "b": "2"}]),
        ("text\nOne \x1f two\n", [{"text": "One \x1f two"}]),
        ('sep="\na,b\n1,2\n', [{"a": "1", "b": "2"}]),
        ("\nSEP=|\r\n\r\na|b;c;d\r\n1|2\r\n", [{"a": "1", "b;c;d": "2"}]),
        ('"a;b;c;d",e\n1,2\n', [{"a;b;c;d": "1", "e": "2"}]),
        (
            "text\nOne, two; and three.\nIs it | or not?\n",
            [{"text": "One, two; and three."}, {"text": "Is it | or not?"}],
        ),
        ("a,b,c\n1\n1,2,3,,\n", [{"a": "1", "b": "", "c": ""}, {"a": "1", "b": "2", "c": "3"}]),
        ("a,b,,\n1,2,,\n3,4\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    ],
)
def test_a_file_is_read_as_people_have_it(text, rows):
    assert upload.read_csv(text.encode(), 10) == rows
    assert upload.first_row(text.encode()) == rows[0]


def test_the_first_row_of_a_file_without_rows_is_empty():
    assert upload.first_row(b"a,b\n") == {"a": "", "b": ""}


def test_many_mistakes_are_listed_and_not_all():
    with pytest.raises(BadRequest, match=r"start on line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more\."):
        upload.read_csv(b"a,b\n" + b"1,2,3\n" * 50, 100)


def test_quoted_fields_keep_their_delimiters_and_lines():
    assert upload.read_csv(b'a,b\n"1,5","x\ny"\n', 10) == [{"a": "1,5", "b": "x\ny"}]


def test_lines_and_rows_are_read_too():
    assert upload.read_lines(" one \n\ntwo\n", 10) == [{"text": "one"}, {"text": "two"}]
    with pytest.raises(BadRequest, match="Row 2"):
        upload.check_rows([{"a": "1"}, {"b": "2"}], 10)


@pytest.mark.parametrize("row", [{" a": "1", "a": "2"}, {" ": "1", "a": "2"}])
def test_names_that_a_download_would_not_tell_apart_are_refused(row):
    with pytest.raises(BadRequest, match=r"Duplicate column names: a\.|Columns without a name: 1\."):
        upload.check_rows([row], 10)


def test_a_prompt_is_filled_and_an_unknown_column_is_named():
    assert prompt.fill("{{x}} {a} { a }", {"a": "1"}, 100) == "{x} 1 1"
    prompt.check("no column at all", ["a"])
    with pytest.raises(BadRequest, match=r"\{b\}.*columns are: a"):
        prompt.check("{a} {b}", ["a"])


def test_pasted_lines_end_where_a_line_ends_and_have_a_limit():
    found = upload.read_lines("a\r\nb\rc\u2028d\n \n\ne", 10)
    assert [row["text"] for row in found] == ["a", "b", "c\u2028d", "e"]
    with pytest.raises(BadRequest, match=r"Row 2 has a value longer than 100,000 characters"):
        upload.read_lines("a\n" + " " * 100_001 + "b", 10)
