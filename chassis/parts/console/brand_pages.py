"""The brand on every page: its style sheet, its logo, and the form that changes it."""

import hashlib
from typing import Annotated

from flask import Blueprint, Response, redirect, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response as AnyResponse

from chassis.errors import NotFound
from chassis.parts.console import colours, pages
from chassis.parts.console.brand import MAX_LOGO_BYTES, PNG, Brands, check_logo
from chassis.security import bodies
from chassis.security.guard import needs, public
from chassis.security.identity import ADMIN
from chassis.web.again import shown_again
from chassis.web.body import Text, form_body, uploaded_file
from chassis.wiring import kept

blueprint = Blueprint("brand", __name__)
KEEP_SECONDS = 86_400  # the URL changes with the content


class BrandForm(BaseModel):
    """What the form holds; an empty value keeps the default."""

    name: Annotated[Text, Field(max_length=60)] = ""
    colour: str = Field("", pattern=r"^(#[0-9a-fA-F]{6})?$")
    plain: bool = False  # without a colour of its own
    remove_logo: bool = False


def shown(brands: Brands) -> dict[str, str]:
    """Return the values for the pages' templates."""
    brand = brands.present()
    found = {"name": brand.name, "colour": brand.colour}
    if brand.colour:
        found["style"] = url_for("brand.style", v=brand.colour.lstrip("#"))
    if brand.logo:
        found["logo"] = url_for("brand.logo", v=brand.logo[:16])
    return found


@blueprint.get("/brand/style.css")
@public
def style() -> Response:
    """Return the style sheet with the brand's colour."""
    colour = kept(Brands).present().colour
    return _kept(colours.stylesheet(colour).encode() if colour else b"", "text/css; charset=utf-8")


@blueprint.get("/brand/logo.png")
@public
def logo() -> Response:
    """Return the logo."""
    data = kept(Brands).logo()
    if not data:
        raise NotFound("There is no logo.")
    return _kept(data, PNG)


@blueprint.post("/admin/console/brand")
@bodies.takes({bodies.FILES: 2 * MAX_LOGO_BYTES})
@needs(ADMIN)
@shown_again(pages.settings, field="logo")
def save() -> AnyResponse:
    """Store the form's brand."""
    form, file = form_body(BrandForm), uploaded_file("logo")
    data = file.read() if file else b""
    new = check_logo(data) if data else b"" if form.remove_logo else None
    kept(Brands).save(form.name.strip(), "" if form.plain else form.colour.lower(), logo=new)
    return redirect(url_for("console.settings", _anchor="brand"), 303)


def _kept(data: bytes, media: str) -> Response:
    """Return a cacheable response, or 304 when the browser's copy is current."""
    response = Response(data, content_type=media)
    response.set_etag(hashlib.sha256(data).hexdigest()[:32])
    response.cache_control.public, response.cache_control.max_age = True, KEEP_SECONDS
    return response.make_conditional(request)  # type: ignore[return-value]
