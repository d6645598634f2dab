"""A secret planted anywhere in an event never appears in the line, in neither format."""

import string
import subprocess
import sys
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.fuzzing import fuzz

pytestmark = pytest.mark.fuzz
END = "-- end of the event --\n"
FORMAT = st.sampled_from(["json", "console"])
NAMES = ["api_key", "password", "SECRET_KEY", "access_token", "Authorization", "Set-Cookie", "client_secret"]
PRINTABLE = "".join(sorted(set(string.printable) - set(string.whitespace)))
MIDDLE = "Zq7Xw9"  # occurs in no line by itself, so that finding it is finding the secret
SHAPED = st.sampled_from(["://x@", "?key=a&", "&api_token=", "bearer:"])  # what is hidden by its shape
AROUND = st.text(PRINTABLE, max_size=12) | SHAPED
SECRET = st.tuples(AROUND, AROUND).map(MIDDLE.join)
URL_SECRET = st.text(string.ascii_letters + string.digits + "-._~%+", min_size=1, max_size=12).map(MIDDLE.__add__)
WORDS = st.text(PRINTABLE + " \n\t\x1b\u2028é", max_size=20)


@pytest.fixture(scope="module")
def written():
    """Return a function that gives what a real process writes for (format, the settings' secret, event, values)."""
    command = [sys.executable, str(ROOT / "chassis/tests/observability/logging_process.py")]
    pipe = subprocess.PIPE
    env = {**CLEAN, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, env=env, cwd=ROOT) as process:

        def write(*told):
            process.stdin.write(ascii(told).encode() + b"\n")
            process.stdin.flush()
            lines = []
            while not lines or lines[-1] != END:
                lines.append(process.stdout.readline().decode())
                assert lines[-1], f"the process ended: {lines}"
            assert len(lines) > 1, "nothing was logged"
            return "".join(lines)

        yield write
        process.kill()


def nested(leaf):
    """Values that hold `leaf` in lists, tuples and dictionaries."""
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=2)
            | st.tuples(WORDS, inner)
            | st.dictionaries(st.sampled_from(["a", "b c", 1]), inner, min_size=1, max_size=2)
        ),
        max_leaves=4,
    )


@fuzz
@given(FORMAT, SECRET, WORDS, WORDS, st.data())
def test_the_settings_own_secret_is_hidden_wherever_it_stands(written, log_format, secret, before, after, data):
    form = data.draw(st.sampled_from([secret, quote(secret, safe=""), quote(secret), quote_plus(secret)]))
    planted = f"{before} {form} {after}"
    values = {
        "plain": planted,
        "nested": data.draw(nested(st.just(planted))),
        "raised": planted,
        f"named {form}": 1,
        "others": {planted},
    }
    kept = data.draw(st.sets(st.sampled_from(sorted(values))))
    event = data.draw(st.sampled_from([planted, "quiet"]))
    line = written(log_format, secret, event, {name: values[name] for name in kept})
    assert MIDDLE not in line


@fuzz
@given(FORMAT, st.sampled_from(NAMES), WORDS, st.data())
def test_a_value_with_a_secrets_name_is_hidden_at_any_depth(written, log_format, name, event, data):
    secret = data.draw(nested(SECRET))
    inside = data.draw(nested(st.just({name: secret})))
    line = written(log_format, "", event, {name: secret, "inside": inside})
    assert MIDDLE not in line


@fuzz
@given(FORMAT, URL_SECRET, st.sampled_from(["https", "redis", "postgresql+psycopg"]), st.data())
def test_a_secret_in_an_url_or_a_header_is_hidden(written, log_format, secret, scheme, data):
    forms = [
        f"{scheme}://user:{secret}@host:1/path?a=b",
        f"{scheme}://:{secret}@host",
        f"{scheme}://{secret}@host/",
        f"{scheme}://host/path?x=1&api_key={secret}&y=2",
        f"/path?access_token={secret}",
        f"Authorization: Bearer {secret}",
        f"bearer  {secret}=",
    ]
    planted = data.draw(st.sampled_from(forms))
    values = {"plain": planted, "nested": data.draw(nested(st.just(planted))), "raised": planted}
    kept = data.draw(st.sets(st.sampled_from(sorted(values))))
    event = data.draw(st.sampled_from([planted, f"before {planted}, after", "quiet"]))
    assert MIDDLE not in written(log_format, "", event, {name: values[name] for name in kept})
