"""The judge's pages: nothing on them, in their addresses or in what they load names a team."""

import hashlib
import hmac
import re

from starlette.responses import RedirectResponse, Response

from raim.errors import StateError, UnknownNameError
from raim.records import judging as records
from raim.server.database import Judge, Study
from raim.server.queries import judging as queries
from raim.server.study.judges import find_judge
from raim.server.study.screens import record_screen
from raim.server.study.trials import count_trials, draw_trials, find_trial
from raim.server.study.voting import cast_vote, finish_judging, open_positions
from raim.server.tiles import Spot, read_tile
from raim.server.web.context import RequestContext
from raim.server.web.routing import Area
from raim.server.web.viewers import is_secure, judge_cookie

area = Area("judging")
COOKIE_S = 90 * 24 * 3600
TILE_HEADERS = {
    "Cache-Control": "private, max-age=86400, immutable",
    "Content-Security-Policy": "default-src 'none'",
}


@area.get("/judge/{token}", who="anyone", template="judge_invitation", is_api=False)
def show_judge_link(context: RequestContext, token: str) -> records.JudgeInvitation:
    """Show what the link is for; opening it changes nothing, since mail programs open links by themselves."""
    return queries.read_invitation(context.session, context.challenge, token)


@area.post("/judge/{token}", who="anyone", page=show_judge_link, is_api=False)
def begin_judging(context: RequestContext, token: str) -> Response:
    """Let this browser be the judge's, and draw their trials."""
    invitation = show_judge_link(context, token)
    judge = find_judge(context.session, token)
    if judge is not None and invitation.takes_votes:
        draw_trials(context.session, context.now, context.session.get_one(Study, judge.study_id), judge)
    answer = RedirectResponse(f"{context.here}/judging", status_code=303)
    name = judge_cookie(context.server, context.challenge.definition.id)
    is_tls = is_secure(context.server)
    answer.set_cookie(name, token, max_age=COOKIE_S, httponly=True, secure=is_tls, samesite="lax", path="/")
    return answer


@area.get("/judging", who="judge", is_page=True, is_api=False)
def lead_on(context: RequestContext) -> Response:
    """Lead to what is to be done next."""
    return _lead_to(context, queries.read_judging(context.session, context.judge()).next_step)


@area.get("/judging/screen", who="judge", template="judge_screen", is_api=False)
@area.get("/judging/instructions", who="judge", template="judge_instructions", is_api=False)
@area.get("/judging/done", who="judge", template="judge_done")
def show_judging(context: RequestContext) -> records.Judging:
    """Show how far the judge is: the check of the screen, the instructions, the way to finish."""
    return queries.read_judging(context.session, context.judge())


@area.post("/judging/screen", who="judge")
def check_screen(context: RequestContext, wanted: records.ScreenFacts) -> records.ScreenVerdict:
    """Keep what the page found out, and say whether it is good enough."""
    judge, study = _find(context)
    row = record_screen(context.session, context.now, study, judge, wanted)
    return records.ScreenVerdict(is_fine=row.is_fine, why=row.why, next=f"{context.here}/judging")


@area.post("/judging/instructions", who="judge", then="/judging")
def have_read(context: RequestContext) -> records.Judging:
    """Note that the judge has read them."""
    judge = context.judge()
    judge.instructed_at = judge.instructed_at or context.now
    judge.seen_at = context.now
    return show_judging(context)


@area.get("/judging/vote", who="judge", template="judge_vote", is_api=False)
def show_trials(
    context: RequestContext, part: records.Part = "voting", position: int | None = None
) -> records.TrialsPage | Response:
    """Show the one page of all trials; its script asks for them."""
    judge = context.judge()
    found = queries.read_judging(context.session, judge)
    total = count_trials(context.session, judge, part)
    if not found.is_ready or not total:
        return _lead_to(context, "done" if found.is_ready else found.next_step)
    unvoted = open_positions(context.session, judge, part)
    is_known = position is not None and 1 <= position <= total
    return records.TrialsPage(
        part=part,
        position=position if position is not None and is_known else (unvoted or [total])[0],
        total=total,
        mode=found.mode,
        min_width=found.min_width,
        min_height=found.min_height,
        keeper=_keeper(context, judge),
    )


@area.get("/judging/trials/{part}/{position}", who="judge")
def show_trial(context: RequestContext, part: records.Part, position: int) -> records.JudgeTrial:
    """Return a trial: sizes, addresses of tiles, the vote so far."""
    tiles = f"{context.here}/judging/tiles"
    return queries.read_trial(context.session, context.judge(), part, position, tiles=tiles)


@area.post("/judging/trials/{part}/{position}", who="judge")
def vote(
    context: RequestContext, part: records.Part, position: int, wanted: records.Ballot
) -> records.SavedVote:
    """Keep a vote; a later one replaces it."""
    judge, study = _find(context)
    if context.request.headers.get("x-raim-judge", "") not in {"", _keeper(context, judge)}:
        raise StateError("another judge's link was opened in this browser; load the page again")
    trial = find_trial(context.session, judge, part, position)
    cast_vote(context.session, context.now, study, judge, trial, wanted)
    context.session.flush()
    total = count_trials(context.session, judge, part)
    done = total - len(open_positions(context.session, judge, part))
    return records.SavedVote(saved_at=context.now, done=done, total=total)


@area.get("/judging/tiles/{key}/{tile}/{level}/{place}.png", who="judge", is_page=True, is_api=False)
def give_tile(context: RequestContext, key: str, tile: str, level: int, place: str) -> Response:
    """Return a tile of one of the judge's own trials."""
    sha256, source = queries.find_tiles(context.session, context.judge(), key, tile)
    found = re.fullmatch(r"([0-9]{1,9})_([0-9]{1,9})", place)
    if found is None:
        raise UnknownNameError("there is no such tile")
    spot = Spot(source=source, level=level, column=int(found[1]), row=int(found[2]))
    content = context.aside(read_tile, context.server.storage, sha256, spot)
    return Response(content, media_type="image/png", headers=TILE_HEADERS)


@area.post("/judging/finish", who="judge", then="/judging/done")
def finish_votes(context: RequestContext) -> records.Judging:
    """Lock the judge's votes."""
    judge, study = _find(context)
    finish_judging(context.session, context.now, study, judge)
    return show_judging(context)


def _find(context: RequestContext) -> tuple[Judge, Study]:
    judge = context.judge()
    return judge, context.session.get_one(Study, judge.study_id)


def _lead_to(context: RequestContext, step: str) -> Response:
    return RedirectResponse(f"{context.here}/judging/{step}", status_code=303)


def _keeper(context: RequestContext, judge: Judge) -> str:
    """Return the name under which a browser keeps the votes of this judge that it could not send yet."""
    return hmac.new(context.server.secret, f"votes of judge {judge.id}".encode(), hashlib.sha256).hexdigest()[
        :16
    ]
