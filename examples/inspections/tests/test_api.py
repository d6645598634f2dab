"""The HTTP interface: images in, verdicts out."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from PIL import Image

from app.features.inspections.tests.conftest import ask, dark, ended, images_of, inspected, picture, send
from chassis.tests.described import Described
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.conftest import ADMIN, CLIENT, GUARDED, OTHER


def test_images_get_verdicts_in_their_order(site):
    made = send(site, picture(1), dark(1), picture(2, kind="PNG"), name="Parts")
    assert (made.status_code, made.headers["Location"]) == (202, f"/api/inspections/{made.json()['id']}")
    assert (made.json()["name"], made.json()["total"], made.json()["source"]) == ("Parts", 3, "upload")
    done = ended(site, made.json()["id"])
    assert (done["status"], done["done"]) == ("succeeded", 3)
    images = images_of(site, done["id"])
    assert [(image["position"], image["verdict"]) for image in images] == [(0, "ok"), (1, "defect"), (2, "ok")]
    assert "too dark" in images[1]["detail"]
    assert all(image["classifier"] == "measure" and 0.5 <= image["score"] <= 1 for image in images)


def test_an_image_has_a_thumbnail_and_its_content(site):
    (image,) = inspected(site, picture(3, size=(1200, 900)))
    small = ask(site, f"/images/{image['id']}/thumbnail")
    assert small.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert Image.open(io.BytesIO(small.content)).size == (320, 240)
    whole = ask(site, f"/images/{image['id']}/content")
    assert Image.open(io.BytesIO(whole.content)).size == (1200, 900)
    assert whole.headers["Content-Disposition"].startswith("inline")


def test_the_same_content_is_not_classified_twice(site):
    before = inspected(site, picture(4))[0]
    again = inspected(site, picture(4), picture(5))
    assert [image["cached"] for image in (before, *again)] == [False, True, False]
    same = ("verdict", "score", "detail")
    assert [before[name] for name in same] == [again[0][name] for name in same]
    assert ask(site, f"/images/{again[0]['id']}/thumbnail").status_code == 200


def test_a_verdict_is_reused_for_its_owner_only(site):
    inspected(site, picture(14))
    (image,) = inspected(site, picture(14), key=OTHER)
    assert image["cached"] is False  # or it would tell that somebody else has the same image


def test_images_are_listed_by_verdict_with_their_numbers(site):
    made = send(site, picture(6), dark(6), dark(7)).json()
    ended(site, made["id"])
    found = ask(site, f"/images?inspection={made['id']}&verdict=defect&per_page=1").json()
    assert (found["total"], len(found["items"]), found["items"][0]["position"]) == (2, 1, 1)
    assert found["counts"] == {"ok": 1, "defect": 2, "corrected": 0}
    assert ask(site, "/images?verdict=lovely").status_code == 400


def test_a_person_corrects_a_verdict_and_withdraws_that(site):
    (image,) = inspected(site, dark(8))
    path = f"/images/{image['id']}"
    changed = ask(site, f"{path}/correction", "PUT", json={"verdict": "ok", "note": "night shift"}).json()
    assert "error" not in changed, changed
    assert (changed["verdict"], changed["corrected_to"], changed["note"]) == ("defect", "ok", "night shift")
    assert changed["corrected_by"] and changed["corrected_at"]
    assert ask(site, path).json() == changed
    of = f"/images?inspection={image['inspection_id']}&verdict="
    assert [ask(site, of + name).json()["total"] for name in ("ok", "corrected", "defect")] == [1, 1, 0]
    back = ask(site, f"{path}/correction", "PUT", json={"verdict": None}).json()
    assert (back["corrected_to"], back["corrected_by"], back["note"]) == (None, None, None)


def test_an_image_that_waits_cannot_be_corrected(shared_with):
    server = shared_with(**GUARDED, JOBS_EMBEDDED="false")
    made = send(server, picture(9)).json()
    (image,) = images_of(server, made["id"])
    assert image["status"] == "pending"
    answer = ask(server, f"/images/{image['id']}/correction", "PUT", json={"verdict": "ok"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert ask(server, f"/{made['id']}", "DELETE").status_code == 409


def test_images_of_a_cancelled_inspection_do_not_wait_and_it_can_be_continued(shared_with):
    server = shared_with(**GUARDED, JOBS_EMBEDDED="false")
    made = send(server, picture(16), picture(17)).json()
    path, of = f"/{made['id']}", f"/images?inspection={made['id']}"
    assert ask(server, f"{path}/continue", "POST").status_code == 409
    assert ask(server, f"{path}/cancel", "POST", key=OTHER).status_code == 404
    assert ask(server, f"{path}/cancel", "POST").json()["status"] == "cancelled"
    assert ask(server, f"{path}/cancel", "POST").status_code == 409
    assert [image["status"] for image in images_of(server, made["id"])] == ["skipped"] * 2
    assert ask(server, of).json()["counts"] == {"skipped": 2, "corrected": 0}
    assert [ask(server, f"{of}&verdict={name}").json()["total"] for name in ("pending", "skipped")] == [0, 2]
    assert ask(server, f"{path}/continue", "POST", key=OTHER).status_code == 404
    assert ask(server, f"{path}/continue", "POST").json()["status"] == "queued"
    assert ask(server, of).json()["counts"] == {"pending": 2, "corrected": 0}


def test_an_export_holds_verdicts_and_corrections_and_no_formula(site):
    images = inspected(site, picture(10), dark(10))
    ask(site, f"/images/{images[1]['id']}/correction", "PUT", json={"verdict": "unsure", "note": "=1+1"})
    answer = ask(site, f"/{images[0]['inspection_id']}/results.csv")
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["verdict"] for row in rows] == ["ok", "defect"]
    assert (rows[1]["corrected_to"], rows[1]["note"]) == ("unsure", "'=1+1")


def stored_files(server) -> int:
    url = f"{server.url}/api/files?label=inspections&per_page=1"
    return requests.get(url, headers={"X-API-Key": CLIENT}, timeout=LIMIT_SECONDS).json()["total"]


def test_a_deleted_inspection_takes_its_images_with_it(site):
    (image,) = inspected(site, picture(11))
    path = f"/{image['inspection_id']}"
    before = stored_files(site)
    assert ask(site, path, "DELETE").status_code == 200
    assert stored_files(site) == before - 1
    for gone in (path, f"/images/{image['id']}", f"/images/{image['id']}/content"):
        assert ask(site, gone).status_code == 404


def test_of_two_deletions_at_once_one_finds_nothing(site):
    (image,) = inspected(site, picture(15))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(site, f"/{image['inspection_id']}", "DELETE").status_code, range(4)))
    assert sorted(answers) == [200, 404, 404, 404]


@pytest.mark.parametrize("key, status", [(OTHER, 404), (ADMIN, 200), (CLIENT, 200)])
def test_only_the_owner_and_admins_see_an_image(site, key, status):
    (image,) = inspected(site, picture(12))
    path = f"/images/{image['id']}"
    for part in ("", "/thumbnail", "/content"):
        assert ask(site, path + part, key=key).status_code == status
    assert ask(site, f"/{image['inspection_id']}/results.csv", key=key).status_code == status
    assert (image["id"] in {one["id"] for one in ask(site, "/images", key=key).json()["items"]}) == (status == 200)
    assert ask(site, f"{path}/correction", "PUT", key=key, json={"verdict": "ok"}).status_code == status
    if status == 404:
        assert ask(site, f"/{image['inspection_id']}", "DELETE", key=key).status_code == 404


def test_answers_are_as_described(shared_with):
    api = Described(shared_with(**GUARDED, JOBS_EMBEDDED="false"), {"X-API-Key": CLIENT})
    made = send(api.server, picture(13)).json()
    assert api.json("GET", f"/api/inspections/{made['id']}")[0] == 200
    assert api.json("GET", "/api/inspections")[0] == 200
    assert api.json("GET", f"/api/inspections/images?inspection={made['id']}")[0] == 200
    assert api.json("GET", f"/api/inspections/{made['id']}/results.json")[0] == 200
