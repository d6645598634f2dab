"""Lines of CSV, and arrays of JSON."""

import csv
import io
import json

import pytest

from chassis.web import csv_line, csv_table, json_array

ROWS = [{"name": "a", "count": 1, "note": None}, {"name": "=1+1", "count": -2.5, "note": "x;=1"}]


def test_a_table_has_its_columns_and_no_formula():
    text = "".join(csv_table(["name", "note", "count"], ROWS))
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "note", "count"],
        ["a", "", "1"],
        ["'=1+1", "x;'=1", "-2.5"],
    ]


@pytest.mark.parametrize("text", ["=1", "+x", "-x", "@SUM(1)", "\tx", "\rx", "\nx", "\ufeff=1", "\uff1d1+1"])
def test_what_a_spreadsheet_would_evaluate_is_text(text):
    assert next(csv.reader(io.StringIO(csv_line([text]), newline=""))) == [f"'{text}"]


@pytest.mark.parametrize("items", [[], [1], ROWS])
def test_an_array_is_json_however_many_items_it_has(items):
    assert json.loads("".join(json_array(iter(items)))) == items
