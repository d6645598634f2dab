"""Where lines go: file and console at once, and systemd's journal with the level of each line."""

import json
import re

JOURNAL = """
import os
there = os.fstat(1)
os.environ["JOURNAL_STREAM"] = f"{there.st_dev}:{there.st_ino}"
"""
LEVEL = re.compile(r"^<(\d)>")


def test_a_log_file_may_be_written_beside_standard_output(written, tmp_path):
    path = tmp_path / "app.log"
    found = written(
        f"""
configure(log_format="json", log_file={str(path)!r}, log_file_and_stdout=True)
log.info("to both")
"""
    )
    assert [event["event"] for event in found.events] == ["to both"]
    assert path.read_text() == found.text


def test_a_log_file_alone_leaves_standard_output_empty(written, tmp_path):
    found = written(f'configure(log_file={str(tmp_path / "app.log")!r}); log.info("to the file")')
    assert found == []
    assert "to the file" in (tmp_path / "app.log").read_text()


def test_in_the_journal_each_line_begins_with_its_level(written):
    found = written(
        JOURNAL
        + """
configure(log_format="json", log_level="DEBUG")
for level in ("debug", "info", "warning", "error", "critical"):
    getattr(log, level)(level)
"""
    )
    assert [LEVEL.match(line)[1] for line in found] == ["7", "6", "4", "3", "2"]
    assert [json.loads(LEVEL.sub("", line))["event"] for line in found] == [
        *("debug", "info", "warning", "error", "critical")
    ]


def test_in_the_journal_a_traceback_has_the_level_of_its_line(written):
    found = written(
        JOURNAL
        + """
configure(log_format="console")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""
    )
    assert len(found) > 2
    assert {LEVEL.match(line)[1] for line in found} == {"3"}


def test_what_only_inherits_the_name_of_a_journal_writes_plain_lines(written):
    found = written('import os; os.environ["JOURNAL_STREAM"] = "1:1"; configure(log_format="json"); log.error("plain")')
    assert [event["event"] for event in found.events] == ["plain"]
