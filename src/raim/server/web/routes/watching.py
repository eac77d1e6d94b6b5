"""Health checks and numbers for monitoring: they answer without the database, and to any name of the host."""

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as TEXT
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from raim.server.web.metrics import check_reader, write_metrics
from raim.server.web.routing import Area

area = Area("watching", prefix="")


@area.probe("/health")
async def show_health(request: Request) -> JSONResponse:
    """Return the states of database, storage and workers; 503 where one of them fails."""
    health = await request.app.state.watch.look()
    return JSONResponse(health.model_dump(), 200 if health.status == "ok" else 503)


@area.probe("/ready")
async def show_readiness(request: Request) -> JSONResponse:
    """Return the same; 503 only where no request can be answered."""
    health = await request.app.state.watch.look()
    return JSONResponse(health.model_dump(), 200 if health.is_ready else 503)


@area.probe("/metrics")
async def show_metrics(request: Request) -> Response:
    """Return the server's numbers for who may read them."""
    check_reader(request, request.app.state.server.settings.metrics_token)
    watch = request.app.state.watch
    return Response(write_metrics(await watch.look(), await watch.count()), media_type=TEXT)
