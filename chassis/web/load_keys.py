"""Keys without limits, which `make load` and `make smoke` create for themselves and revoke at the end."""

from flask import Blueprint, jsonify
from pydantic import AwareDatetime, BaseModel, Field
from werkzeug.wrappers import Response

from chassis.base.times import iso
from chassis.db import clock
from chassis.security import keys
from chassis.security.guard import needs
from chassis.security.identity import ADMIN, SUBMIT
from chassis.security.proof import recently_proved
from chassis.web.body import json_body
from chassis.web.openapi.describe import describe

blueprint = Blueprint("load_keys_api", __name__, url_prefix="/api/admin/load-keys")
HOUR_SECONDS = 3_600


class LoadKeyRequest(BaseModel):
    """How long the key is for."""

    seconds: int = Field(
        HOUR_SECONDS, ge=1, le=keys.MAX_SECONDS_WITHOUT_LIMITS, description="Lifetime of the key, in seconds."
    )


class LoadKeyResponse(BaseModel):
    """A key without limits, shown once."""

    id: str = Field(description="Identifies the key in lists and logs, and to revoke it.")
    key: str
    expires_at: AwareDatetime


class RevokedResponse(BaseModel):
    """The key that was revoked."""

    id: str


@blueprint.post("")
@needs(ADMIN)
@recently_proved
@describe(body=LoadKeyRequest, answers={201: LoadKeyResponse})
def create() -> tuple[Response, int, dict[str, str]]:
    """Create a key without limits for a load test: it may submit, and expires by itself."""
    ends = clock.now() + json_body(LoadKeyRequest).seconds
    key = keys.create(keys.NewKey("load test", (SUBMIT,), expires_at=ends, without_limits=True))
    made = jsonify(id=keys.id_of(key), key=key, expires_at=iso(ends))
    return made, 201, {"Cache-Control": "no-store"}


@blueprint.delete("/<key_id>")
@needs(ADMIN)
@describe(answers={200: RevokedResponse, 404: "There is no such key without limits, or it is already revoked."})
def revoke(key_id: str) -> Response:
    """Revoke a key without limits; its sockets are closed within a second."""
    keys.revoke_without_limits(key_id)
    return jsonify(id=keys.id_of(key_id))
