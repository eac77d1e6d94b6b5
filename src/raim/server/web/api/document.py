"""The OpenAPI document of the API, and a page that shows it without anything from elsewhere."""

from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from raim.server.web.context import Admitted, Context
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/api/v1/openapi.json", name="api.document")
def give_document(context: Admitted) -> JSONResponse:
    """Give the OpenAPI document."""
    return JSONResponse(_document(context))


@router.get("/api", name="api.documents")
def show_document(context: Admitted) -> Response:
    """Show the API's routes as a page."""
    return render(context, "api.html.jinja", document=_document(context))


def _document(context: Context) -> dict[str, Any]:
    app = context.request.app
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        made.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}]
        app.openapi_schema = made
    document: dict[str, Any] = app.openapi_schema
    return document
