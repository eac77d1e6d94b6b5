"""The check of the judge's screen, before the first trial and whenever they wish."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from raim.server.study.screens import ScreenFacts, newest_screen, record_screen
from raim.server.web.context import Admitted
from raim.server.web.pages.judging.desk import open_judge_session
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
Pixels = Annotated[int, Field(ge=0, le=100_000)]
Count = Annotated[int, Field(ge=0, le=100)]


class ScreenForm(BaseModel):
    """What the page found out; see `raim.server.study.screens.ScreenFacts`."""

    model_config = ConfigDict(extra="forbid")

    window_width: Pixels
    window_height: Pixels
    screen_width: Pixels
    screen_height: Pixels
    pixel_ratio: Annotated[float, Field(gt=0, le=20)]
    zoom_percent: Annotated[int, Field(ge=1, le=1000)] | None = None
    colour_depth: Annotated[int, Field(ge=0, le=128)]
    gamut: Annotated[str, Field(max_length=20)] = ""
    has_mouse: bool = True
    dark_patches: tuple[Count, Count] = (0, 0)
    bright_patches: tuple[Count, Count] = (0, 0)
    colours_right: bool = True


@router.get("/judging/screen", name="judge.screen")
def show_check(context: Admitted) -> Response:
    """Show the patterns and what was found last."""
    with context.server.database.reading() as session:
        judging = open_judge_session(context, session)
        return render(
            context, "judge_screen.html.jinja", judging=judging, newest=newest_screen(session, judging.judge)
        )


@router.post("/judging/screen", name="judge.screen.post")
def keep_check(context: Admitted, form: ScreenForm) -> Response:
    """Keep what the page found out, and say whether it is good enough."""
    plain = form.model_dump(mode="json")
    with context.server.database.writing() as session:
        judging = open_judge_session(context, session)
        row = record_screen(
            session, context.now, judging.study, judging.judge, ScreenFacts(**form.model_dump()), plain
        )
        return JSONResponse({"is_fine": row.is_fine, "why": row.why, "next": f"{context.here}/judging"})
