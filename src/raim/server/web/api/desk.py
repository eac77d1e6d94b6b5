"""The organisers' part of the API: what the desk's pages do, as JSON."""

from fastapi import APIRouter

from raim.server.web.api import desk_people, desk_studies

router = APIRouter()
for each in (desk_people.router, desk_studies.router):
    router.include_router(each)
