"""The tables of the two nodes' application, which the tests create and read, and its statements."""

CREATE = """
CREATE TABLE node_news (who text, n int, PRIMARY KEY (who, n));
CREATE TABLE node_rows (token text PRIMARY KEY, job text, n int);
CREATE TABLE node_pulses (token text PRIMARY KEY, job text);
"""
ADD_NEWS = "INSERT INTO node_news VALUES (:who, :n) ON CONFLICT DO NOTHING"
LAST_NEWS = "SELECT who, max(n) FROM node_news GROUP BY who"
# A commit whose answer was lost is repeated with the same token; another process' row has another one, and would show.
ADD_ROW = """
INSERT INTO node_rows SELECT :token, id, :n FROM jobs WHERE id = :job AND state = 'running' AND attempt = :attempt
FOR SHARE ON CONFLICT DO NOTHING
"""
DONE_ROWS = "SELECT n FROM node_rows WHERE job = :job"
ADD_PULSE = "INSERT INTO node_pulses VALUES (:token, :job) ON CONFLICT DO NOTHING"

STATE_OF = "SELECT state FROM jobs WHERE id = '{job}'"
ROWS_OF = "SELECT n FROM node_rows WHERE job = '{job}' ORDER BY n"
UNFINISHED = "SELECT count(*) FROM jobs WHERE state <> 'succeeded'"
PULSES = "SELECT count(*) FROM jobs WHERE kind = 'pulse'"
PLANNED = "SELECT count(*) FROM schedules WHERE kind = 'pulse'"
MAKE_DUE = "UPDATE schedules SET next_at = extract(epoch FROM clock_timestamp()) + {seconds} WHERE kind = 'pulse'"
DUE = "SELECT count(*) FROM schedules WHERE kind = 'pulse' AND next_at < extract(epoch FROM clock_timestamp()) + 3600"
