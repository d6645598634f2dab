"""A camera's folder and a socket as sources, and the events that viewers receive."""

import os
import subprocess
import sys

import pytest

from app.features.inspections.tests.conftest import ask, dark, inspected, picture
from chassis.tests.conftest import ROOT, same_in_every_mode
from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ADMIN, CLIENT, GUARDED, OTHER

FLASK = [sys.executable, "-m", "flask"]


@pytest.fixture
def connect():
    """Return a function that connects a client, which follows and keeps what it hears."""
    clients = []

    def new(server, key):
        client = OrderedClient(reconnection=False, request_timeout=LIMIT_SECONDS)
        clients.append(client)
        client.heard = []
        client.on("inspections:image", client.heard.append)
        client.connect(server.url, transports=["websocket"], wait_timeout=LIMIT_SECONDS, auth={"key": key})
        client.answer = client.call("inspections:follow", {}, timeout=LIMIT_SECONDS)
        return client

    yield new
    for client in clients:
        client.disconnect()


def test_an_image_by_socket_gets_its_verdict_as_an_event(shared_with, connect):
    server = shared_with(**GUARDED)
    client, admin, other = (connect(server, key) for key in (CLIENT, ADMIN, OTHER))
    message = {"name": "camera-1.jpg", "image": dark(30)}
    made = client.call("inspections:inspect", message, timeout=LIMIT_SECONDS)
    assert made == {"ok": True, "id": made["id"]}
    for viewer in (client, admin):
        (image,) = wait_until(lambda v=viewer: [one for one in v.heard if one["inspection_id"] == made["id"]])
        assert (image["name"], image["verdict"], image["status"]) == ("camera-1.jpg", "defect", "done")
    assert other.heard == []
    assert ask(server, f"/{made['id']}").json()["source"] == "socket"


def test_viewers_of_all_workers_hear_of_each_verdict(shared_with, connect):
    server = shared_with(**GUARDED, GUNICORN_WORKERS="2", SOCKET_TRANSPORTS="websocket")
    viewers = [connect(server, CLIENT) for _ in range(6)]
    images = {image["id"] for image in inspected(server, *(picture(number) for number in range(400, 408)))}
    for viewer in viewers:
        wait_until(lambda v=viewer: {one["id"] for one in v.heard} == images)
        assert len(viewer.heard) == len(images)


def test_a_message_that_is_no_image_is_refused_in_words(shared_with, connect):
    client = connect(shared_with(**GUARDED), CLIENT)
    for image, code in ((b"text", "unsupported_media_type"), (picture(31)[:3_000], "image_refused")):
        answer = client.call("inspections:inspect", {"name": "a.jpg", "image": image}, timeout=LIMIT_SECONDS)
        assert answer["error"]["code"] == code


def test_a_correction_is_told_to_viewers(shared_with, connect):
    server = shared_with(**GUARDED)
    (image,) = inspected(server, picture(32))
    viewer = connect(server, CLIENT)
    ask(server, f"/images/{image['id']}/correction", "PUT", json={"verdict": "defect"})
    (told,) = wait_until(lambda: viewer.heard)
    assert (told["id"], told["verdict"], told["corrected_to"]) == (image["id"], "ok", "defect")


def settled(folder, name, content):
    """Store a file as a camera did some time ago."""
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000 + len(list(folder.iterdir()))))
    return path


@same_in_every_mode
def test_images_in_the_cameras_folder_are_inspected(serve, tmp_path):
    folder = tmp_path / "camera"
    folder.mkdir()
    settled(folder, "0001.jpg", picture(33))
    settled(folder, "0002.jpg", picture(34)[:2_000])
    server = serve(**GUARDED, INSPECTION_CAMERA_FOLDER=str(folder))
    subprocess.run([*FLASK, "schedules", "run", "inspection_camera"], cwd=ROOT, env=server.env, check=True)
    found = wait_until(lambda: ask(server, "/images?verdict=ok", key=ADMIN).json()["items"])
    assert [image["name"] for image in found] == ["0001.jpg"]
    left = lambda: [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]  # noqa: E731
    wait_until(lambda: left() == ["refused/0002.jpg"])
    assert ask(server, "/images").json()["total"] == 0  # they belong to the service, not to a key
