"""The trials: the page, each trial as JSON with candidates under labels, its tiles, and the vote."""

import hashlib
import hmac
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from raim.errors import StateError, UnknownNameError
from raim.server.database import StudyImage, Trial
from raim.server.study.progress import own_pace
from raim.server.study.trials import Part, count_trials, entry_of, find_tile_trial, find_trial
from raim.server.study.voting import (
    Ballot,
    Region,
    as_ballot,
    cast_vote,
    newest_vote,
    open_positions,
)
from raim.server.tiles import Spot, read_tile
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.judging.desk import JudgeSession, is_ready, next_step, open_judge_session
from raim.server.web.rendering import render
from raim.study import BLURRED
from raim.study.trial import label_of

router = APIRouter(include_in_schema=False)
Label = Annotated[str, Field(max_length=8)]
Pixels = Annotated[int, Field(ge=0, le=1_000_000)]
# The input's tile and the code of a blurred copy in packs.
INPUT, BLURRED_TILE = "input", "blurred"


class RegionForm(BaseModel):
    """A place that was marked, in pixels of the candidates."""

    model_config = ConfigDict(extra="forbid")

    label: Label
    x: Pixels
    y: Pixels
    width: Pixels
    height: Pixels


class VoteForm(BaseModel):
    """A vote by labels; see `raim.server.study.voting.Ballot`."""

    model_config = ConfigDict(extra="forbid")

    choice: Annotated[list[Label], Field(max_length=100)] = []
    ratings: Annotated[dict[Label, int], Field(max_length=100)] = {}
    reasons: Annotated[
        dict[Label, Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)]],
        Field(max_length=100),
    ] = {}
    regions: Annotated[list[RegionForm], Field(max_length=100)] = []
    seconds: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] = 0.0

    def ballot(self) -> Ballot:
        """Give it as the study takes it."""
        return Ballot(
            choice=tuple(self.choice),
            ratings=dict(self.ratings),
            reasons={label: tuple(names) for label, names in self.reasons.items()},
            regions=tuple(Region(**each.model_dump()) for each in self.regions),
            seconds=self.seconds,
        )


@router.get("/judging/vote", name="judge.vote")
def show_page(context: Admitted, part: Part = "voting", position: int | None = None) -> Response:
    """Show the one page of all trials; its script asks for them."""
    with context.server.database.reading() as session:
        judging = open_judge_session(context, session)
        if not is_ready(session, judging):
            return Response(status_code=303, headers={"Location": next_step(context, session, judging)})
        total = count_trials(session, judging.judge, part)
        if not total:
            return Response(status_code=303, headers={"Location": f"{context.here}/judging/done"})
        unvoted = open_positions(session, judging.judge, part)
        begin = position if position is not None and 1 <= position <= total else (unvoted or [total])[0]
        return render(
            context,
            "judge_vote.html.jinja",
            judging=judging,
            part=part,
            total=total,
            position=begin,
            keeper=_keeper(context, judging),
        )


@router.get("/judging/trials/{part}/{position}", name="judge.trial")
def give_trial(context: Admitted, part: Part, position: int) -> Response:
    """Give a trial: sizes, addresses of tiles, the vote so far."""
    with context.server.database.reading() as session:
        judging = open_judge_session(context, session)
        _check_looking(judging)
        trial = find_trial(session, judging.judge, part, position)
        image = session.get_one(StudyImage, trial.study_image_id)
        facts = image.pack
        if facts is None or image.pack_sha256 is None:
            raise StateError("the tiles of this image are not made yet; try again in a minute")
        vote = newest_vote(session, trial)
        total = count_trials(session, judging.judge, part)
        unvoted = open_positions(session, judging.judge, part)
        return JSONResponse(
            {
                "part": part,
                "position": position,
                "total": total,
                "done": total - len(unvoted),
                "open": unvoted,
                "n_picks": judging.design.n_picks,
                "image": {key: facts[key] for key in ("width", "height", "tile", "levels")},
                "input": {"tiles": f"{context.here}/judging/tiles/{trial.key}/input", **facts["input"]},
                "candidates": [
                    {"label": label, "tiles": f"{context.here}/judging/tiles/{trial.key}/{label.lower()}"}
                    for label in map(label_of, range(len(trial.tiles)))
                ],
                "vote": None if vote is None else _plain(as_ballot(trial, vote)),
                "criteria": list(judging.design.criteria),
                "is_locked": not judging.takes_votes,
                "seconds_per_trial": own_pace(session, judging.judge),
            }
        )


@router.put("/judging/trials/{part}/{position}/vote", name="judge.trial.vote")
def keep_vote(context: Admitted, part: Part, position: int, form: VoteForm) -> Response:
    """Keep a vote."""
    with context.server.database.writing() as session:
        judging = open_judge_session(context, session)
        if context.request.headers.get("x-raim-judge", "") not in {"", _keeper(context, judging)}:
            raise StateError("another judge's link was opened in this browser; load the page again")
        trial = find_trial(session, judging.judge, part, position)
        cast_vote(session, context.now, judging.study, judging.judge, trial, form.ballot())
        session.flush()
        total = count_trials(session, judging.judge, part)
        done = total - len(open_positions(session, judging.judge, part))
    return JSONResponse({"saved_at": context.now.isoformat(), "done": done, "total": total})


@router.get("/judging/tiles/{key}/{tile}/{level}/{place}.png", name="judge.tile")
def give_tile(context: Admitted, key: str, tile: str, level: int, place: str) -> Response:
    """Give a tile of one of the judge's own trials."""
    with context.server.database.reading() as session:
        judging = open_judge_session(context, session)
        _check_looking(judging)
        trial, image = find_tile_trial(session, judging.judge, key)
        sha256 = image.pack_sha256
        source = INPUT if tile == INPUT else _source(trial, tile)
    if sha256 is None:
        raise UnknownNameError("there is no such tile")
    column, row = _read_place(place)
    content = read_tile(
        context.server.storage, sha256, Spot(source=source, level=level, column=column, row=row)
    )
    return Response(
        content,
        media_type="image/png",
        headers={
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Security-Policy": "default-src 'none'",
        },
    )


def _keeper(context: Context, judging: JudgeSession) -> str:
    """Give the name under which a browser keeps the votes of this judge that it could not send yet."""
    what = f"votes of judge {judging.judge.id}".encode()
    return hmac.new(context.server.secret, what, hashlib.sha256).hexdigest()[:16]


def _check_looking(judging: JudgeSession) -> None:
    """Let nobody look at trials but while votes are taken, or at their own once they have finished.

    Raises:
        StateError: The study is not open.
    """
    if judging.study.state != "open" and not judging.judge.is_preview:
        raise StateError(f"the study is {judging.study.state}; trials are shown while it is open")


def _source(trial: Trial, label: str) -> str:
    code = entry_of(trial, label)
    return BLURRED_TILE if code == BLURRED else code


def _read_place(place: str) -> tuple[int, int]:
    column, _, row = place.partition("_")
    if not (column.isascii() and column.isdecimal() and row.isascii() and row.isdecimal()):
        raise UnknownNameError("there is no such tile")
    if len(place) > 20:
        raise UnknownNameError("there is no such tile")
    return int(column), int(row)


def _plain(ballot: Ballot) -> dict[str, Any]:
    return {
        "choice": list(ballot.choice),
        "ratings": dict(ballot.ratings),
        "reasons": {label: list(names) for label, names in ballot.reasons.items()},
        "regions": [
            {"label": each.label, "x": each.x, "y": each.y, "width": each.width, "height": each.height}
            for each in ballot.regions
        ],
        "seconds": ballot.seconds,
    }
