"""Lines of CSV, and arrays of JSON."""

import csv
import io
import json

import pytest

from app import create_app
from chassis.security.request_rates import OWN_RATES
from chassis.settings import Settings
from chassis.web import Answer, csv_line, csv_table, feedback, json_array
from chassis.web.openapi.describe import described

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


def test_a_download_that_is_made_has_a_rate_of_its_own(tmp_path):
    views = create_app(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db")).view_functions
    told = {name: found.answers.get(200, Answer()) for name, view in views.items() if (found := described(view))}
    made = [name for name, answer in told.items() if "Content-Disposition" in answer.headers]
    stored = ["files_api.content"]  # whole files, such as the images of a page
    assert [name for name in made if not getattr(views[name], OWN_RATES, ())] == stored
    assert getattr(feedback.export, OWN_RATES, ())
