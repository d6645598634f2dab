"""Any environment gives settings, or an error that names variables and shows no secret."""

import math
import os
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from chassis import features
from chassis.base import environment
from chassis.errors import SettingsError
from chassis.settings import Settings
from chassis.tests.fuzzing import fuzz

pytestmark = pytest.mark.fuzz
FIELDS = {field.upper(): kind for kind in (Settings, *features.sections()) for field in kind.model_fields}
SECRETS = [n for n, kind in FIELDS.items() if isinstance(kind.model_fields[n.lower()].default, SecretStr)]
PLANTED = "plAnted-sEcret"
USUAL = st.sampled_from(
    ["", "0", "-1", "1e400", "nan", "inf", "٣", "true", "*", ",", "::/0", "1.2.3.4/33", "http://[", "production",
     "sqlite:///", "sqlite:////", "postgresql+psycopg://", "file:", "/", "/dev/null", ".", "999999999999999999999"]
)  # fmt: skip
TEXT = USUAL | st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=30)
ANY = TEXT | st.binary(max_size=20).map(lambda raw: os.fsdecode(raw.replace(b"\x00", b"")))
URLS = ["", "sqlite:///", "postgresql+psycopg://u:", "http://[", "https://u:", "ftp://", "redis://:"]
SECRET = st.tuples(st.sampled_from(URLS), ANY).map(lambda parts: f"{parts[0]}{PLANTED}{parts[1]}")
VALUE = ANY | st.integers().map(str) | st.floats().map(str)
FILES = [f"{name}_FILE" for name in FIELDS]
VARIABLES = st.tuples(
    st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUE, max_size=5),
    st.dictionaries(st.sampled_from(sorted(FILES)), ANY, max_size=2),
).map(lambda parts: {**parts[0], **parts[1]})


def load(variables):
    """Return the settings of an environment, or after a look at the error those of what it does not name."""
    with mock.patch.dict(os.environ, variables, clear=True):
        try:
            return features.load()
        except SettingsError as error:
            names = {name.removesuffix("_FILE") for name, _ in error.problems}
            assert {name for name, _ in error.problems} <= {*FIELDS, *FILES, ".env"}
            assert PLANTED not in str(error)
            assert all(sentence for _, sentence in error.problems)
        rest = {name: value for name, value in variables.items() if name.removesuffix("_FILE") not in names}
        return load(rest) if len(rest) < len(variables) else None


def check(settings):
    for kind in {Settings, *FIELDS.values()}:
        section = settings if kind is Settings else settings.section(kind)
        assert all(math.isfinite(v) for _, v in section if isinstance(v, float))
        assert PLANTED not in repr(section)


@fuzz
@given(VARIABLES, st.dictionaries(st.sampled_from(SECRETS), SECRET, max_size=3))
def test_any_environment_gives_settings_or_an_error_without_secrets(tmp_path, variables, planted):
    with mock.patch.object(environment, "BASE_DIR", tmp_path):
        settings = load({**variables, **planted})
    if settings is not None:
        check(settings)


@fuzz
@given(st.sampled_from(sorted(FIELDS)), st.binary(max_size=40) | TEXT.map(str.encode))
def test_any_file_with_a_value_gives_settings_or_an_error(tmp_path, name, content):
    path = tmp_path / "value"
    path.write_bytes(content)
    with mock.patch.object(environment, "BASE_DIR", tmp_path):
        load({f"{name}_FILE": str(path)})


@fuzz
@given(st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), ANY), max_size=4), st.binary(max_size=20))
def test_any_env_file_gives_settings_or_an_error(tmp_path, lines, garbage):
    text = "".join(f"{name}={value}\n" for name, value in lines)
    (tmp_path / ".env").write_bytes(os.fsencode(text) + garbage)
    with mock.patch.object(environment, "BASE_DIR", tmp_path):
        load({})
