"""The feature of the document takes files and serves them."""

import io

import pytest

from app import create_app
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.documents import blocks
from chassis.tests.files.conftest import picture
from chassis.tests.servers import new_database


def test_the_feature_of_the_document_takes_scans(tmp_path):
    pytest.importorskip("PIL")
    url, known = new_database(tmp_path), {"__name__": "scans"}
    exec(blocks("chassis/docs/features-reference.md", "Take and serve files")[0], known)
    app = create_app(Settings(app_env="test", database_url=url, upload_types=("image/png",)))
    app.register_blueprint(known["blueprint"])
    client = app.test_client()
    made = client.post("/api/scans", data={"files": (io.BytesIO(picture()), "scan.png")})
    assert made.status_code == 201, made.text
    shown = client.get(f"/api/scans/{made.json['items'][0]['id']}")
    assert (shown.status_code, shown.mimetype) == (200, "image/png")
    assert client.get("/api/files?label=scans").json["total"] == 1
    db.close()
