"""A boot that cannot go on stops with a sentence that says what to do."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from gunicorn.config import Config
from pydantic import SecretStr

from chassis.boot import boot
from chassis.db import db
from chassis.errors import AppError
from chassis.server.start import refuse_tls
from chassis.settings import Settings
from chassis.tests.conftest import free_port
from chassis.tests.patience import LIMIT_SECONDS


@pytest.fixture
def refusal():
    """Return a function that boots on a database in this process, and gives the sentence of the refusal."""

    def of(url):
        with pytest.raises(AppError) as raised:
            boot(Settings(app_env="test", database_url=SecretStr(url)))
        assert raised.value.exit_status == 1
        return raised.value.message

    yield of
    db.close()


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"SQLite format 3\0" + b"\0" * 4000])
def test_a_database_that_is_none_stops_the_start_with_what_to_do(refusal, tmp_path, content):
    (tmp_path / "app.db").write_bytes(content)
    told = refusal(f"sqlite:///{tmp_path}/app.db")
    assert "cannot be used" in told
    assert "restore it from a backup" in told


def test_tls_is_refused_where_the_port_would_speak_plain_text(serve, tmp_path):
    (tmp_path / "tls.pem").write_text("")
    server = serve(ready=False, GUNICORN_CMD_ARGS=f"--certfile={tmp_path}/tls.pem")
    assert server.process.wait(LIMIT_SECONDS) == 78
    assert "not support TLS" in server.log
    assert "Traceback" not in server.log


def test_tls_is_refused_by_its_key_alone(tmp_path):
    (tmp_path / "tls.pem").write_text("")
    master = SimpleNamespace(cfg=Config(), log=Mock())
    refuse_tls(master)
    master.cfg.set("keyfile", f"{tmp_path}/tls.pem")
    with pytest.raises(SystemExit, match="78"):
        refuse_tls(master)


def test_a_folder_that_cannot_be_made_stops_the_start(refusal, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be created" in refusal(f"sqlite:///{tmp_path}/file/app.db")


def test_a_lock_file_that_cannot_be_made_stops_the_start(refusal, tmp_path):
    (tmp_path / "app.db.lock").mkdir()
    assert "app.db.lock cannot be created" in refusal(f"sqlite:///{tmp_path}/app.db")


def test_a_database_server_that_is_away_stops_the_start_with_what_to_do(refusal):
    pytest.importorskip("psycopg")
    told = refusal(f"postgresql+psycopg://app:hush@127.0.0.1:{free_port()}/app")
    assert "check DATABASE_URL" in told
    assert "hush" not in told
