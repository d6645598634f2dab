"""What users send, and the sentence each mistake gets."""

import pytest

from app.errors import BadRequest
from app.features.predictions import prompt, upload


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "csv_empty", "empty"),
        (b"a,b\n", "no_rows", "no rows"),
        (b"a,b\n1,2\n3\n", "csv_malformed", "Line 3 has 1 fields"),
        (b'a,b\n"1,2\n', "csv_malformed", "malformed"),
        (b"a,a\n1,2\n", "csv_header", "twice"),
        (b"a,\n1,2\n", "csv_header", "no name"),
        ("a\nJörg\n".encode("latin-1"), "csv_encoding", "Line 2 is not UTF-8"),
        ("a\nx\n".encode("utf-16"), "csv_encoding", "UTF-16"),
        (b"a\n\x00\n", "csv_encoding", "binary"),
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


def test_quoted_fields_keep_their_delimiters_and_lines():
    assert upload.read_csv(b'a,b\n"1,5","x\ny"\n', 10) == [{"a": "1,5", "b": "x\ny"}]


def test_lines_and_rows_are_read_too():
    assert upload.read_lines(" one \n\ntwo\n", 10) == [{"text": "one"}, {"text": "two"}]
    with pytest.raises(BadRequest, match="Row 2"):
        upload.check_rows([{"a": "1"}, {"b": "2"}], 10)


def test_a_prompt_is_filled_and_an_unknown_column_is_named():
    assert prompt.fill("{{x}} {a} { a }", {"a": "1"}, 100) == "{x} 1 1"
    prompt.check("no column at all", ["a"])
    with pytest.raises(BadRequest, match=r"\{b\}.*columns are: a"):
        prompt.check("{a} {b}", ["a"])


def test_pasted_lines_end_where_a_line_ends_and_have_a_limit():
    found = upload.read_lines("a\r\nb\rc\u2028d\n \n\ne", 10)
    assert [row["text"] for row in found] == ["a", "b", "c\u2028d", "e"]
    with pytest.raises(BadRequest, match=r"Row 2 has a value over 100,000 characters"):
        upload.read_lines("a\n" + " " * 100_001 + "b", 10)
