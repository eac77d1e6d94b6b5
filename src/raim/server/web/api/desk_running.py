"""The organisers' API: overview, phases, announcements, finalists, checklist, exports, log."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from raim.challenge import phase_state
from raim.errors import InputError, StateError
from raim.server.contest import Standing, withdraw_announcement
from raim.server.contest.checklist import tick
from raim.server.contest.phases import pause, resume, set_dates
from raim.server.contest.versions import switch_versions
from raim.server.database import Announcement, Phase
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.desk_records import (
    Answer,
    Candidate,
    Checklist,
    FailureRecord,
    FinalistRecord,
    FinalistsRecord,
    Invited,
    Made,
    NewAnnouncement,
    NewVersionRecord,
    OverviewRecord,
    PhaseChange,
    PhaseDates,
    PointRecord,
    Publication,
    Replacement,
    RereadRecord,
    Tick,
    VersionSwitch,
    WorkerRecord,
)
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import RowId, Slug, find_row
from raim.server.web.pages.desk.announcements import publish_announcement
from raim.server.web.pages.desk.checklist import change_publication, read_checklist
from raim.server.web.pages.desk.exports import export
from raim.server.web.pages.desk.finalists import answer_for, give_place, invite_teams, read_finalists
from raim.server.web.pages.desk.overview import read_overview
from raim.server.web.pages.desk.phases import find_phase_row, read_challenge_again

router = APIRouter(prefix=f"{PREFIX}/desk", tags=["desk"], responses=FAILURES, dependencies=LIMITED)


@router.get("", name="api.desk.overview")
def read_desk(context: Admitted) -> OverviewRecord:
    """Give phases, queue, workers, disks, failures, and what waits for an organiser."""
    found = read_overview(context)
    queue = found["queue"]
    return OverviewRecord(
        phases={phase.id: state for phase, state in found["phases"]},
        states=dict(queue.states),
        n_waiting=queue.n_waiting,
        images_waiting=queue.images_waiting,
        done_at=queue.done_at,
        workers=[
            WorkerRecord(
                name=each.name,
                doing=each.doing,
                seen_at=each.seen_at,
                version=each.version,
                seconds_per_image=each.seconds_per_image,
            )
            for each in queue.workers
        ],
        folder_free_bytes=found["folder_free"],
        storage_free_bytes=found["storage_free"],
        failures=[
            FailureRecord(submission_id=row.id, team=team, failed_at=row.state_at, reason=row.error or "")
            for row, team in found["failures"]
        ],
        n_failures=found["n_failures"],
        n_waiting_teams=found["n_waiting_teams"],
        n_flagged=found["n_flagged"],
        n_silent_finalists=found["n_silent_finalists"],
        new_versions=[NewVersionRecord(**asdict(each)) for each in found["new_versions"]],
    )


@router.post("/versions/switch", name="api.desk.versions.switch")
def switch(context: Admitted, wanted: VersionSwitch) -> list[NewVersionRecord]:
    """Let leaderboards and rankings show the newest version's results; give what is in force since."""
    even_incomplete, actor_id = wanted.even_incomplete, context.user_id
    with context.server.database.writing() as session:
        done = switch_versions(
            session, context.now, context.contest, even_incomplete=even_incomplete, actor_id=actor_id
        )
    return [NewVersionRecord(**asdict(each)) for each in done]


@router.patch("/phases/{phase_id}", name="api.desk.phase")
def change_phase(context: Admitted, phase_id: Slug, wanted: PhaseChange) -> PhaseDates:
    """Change the dates of a phase; pause or resume it."""
    with context.server.database.writing() as session:
        row = find_phase_row(context, session, phase_id)
        if wanted.opens is not None or wanted.closes is not None:
            set_dates(
                session,
                context.now,
                row,
                opens_at=wanted.opens or row.opens_at,
                closes_at=wanted.closes or row.closes_at,
                actor_id=context.user_id,
            )
        if wanted.is_paused is not None:
            change = pause if wanted.is_paused else resume
            change(session, context.now, row, actor_id=context.user_id)
        session.flush()
        session.refresh(row)
        return _dates(context, row)


@router.post("/challenge/read", name="api.desk.challenge.read")
def read_file(context: Admitted) -> RereadRecord:
    """Read challenge.toml again: all its problems are given, or it is in force."""
    found = read_challenge_again(context)
    return RereadRecord(
        problems=list(found.problems),
        notes=list(found.notes),
        changes=list(found.changes),
        to_rescore=list(found.to_rescore),
    )


@router.post("/announcements", name="api.desk.announce", status_code=201)
def create_announcement(context: Admitted, wanted: NewAnnouncement) -> Made:
    """Publish a text in Markdown."""
    return Made(id=publish_announcement(context, wanted.title, wanted.text))


@router.post("/announcements/{announcement_id}/withdraw", name="api.desk.announcement.withdraw")
def end_announcement(context: Admitted, announcement_id: RowId) -> Made:
    """Take a text off the pages."""
    with context.server.database.writing() as session:
        row = find_row(session, Announcement, announcement_id, "announcement")
        withdraw_announcement(session, context.now, row, actor_id=context.user_id)
    return Made(id=announcement_id)


@router.get("/finalists", name="api.desk.finalists")
def list_invited(context: Admitted) -> FinalistsRecord:
    """Give the finalists, and who would be invited now."""
    return _finalists(context)


@router.post("/finalists", name="api.desk.finalists.invite")
def invite(context: Admitted, wanted: Invited) -> FinalistsRecord:
    """Invite teams, in the order of places."""
    invite_teams(context, wanted.teams)
    return _finalists(context)


@router.post("/finalists/{finalist_id}/answer", name="api.desk.finalist.answer")
def answer(context: Admitted, finalist_id: RowId, wanted: Answer) -> FinalistsRecord:
    """Write down what a team has said."""
    answer_for(context, finalist_id, wanted.answer)
    return _finalists(context)


@router.post("/finalists/{finalist_id}/replace", name="api.desk.finalist.replace")
def replace(context: Admitted, finalist_id: RowId, wanted: Replacement) -> FinalistsRecord:
    """Give a place to another team."""
    give_place(context, finalist_id, wanted.team_id)
    return _finalists(context)


@router.get("/checklist", name="api.desk.checklist")
def read_points(context: Admitted) -> Checklist:
    """Give what is done and what is left before awards are given."""
    return _checklist(context)


@router.patch("/checklist/{point}", name="api.desk.checklist.tick")
def set_tick(context: Admitted, point: Slug, wanted: Tick) -> Checklist:
    """Tick a point by hand, or take the tick back."""
    with context.server.database.writing() as session:
        tick(session, context.now, context.contest, point, is_done=wanted.is_done, actor_id=context.user_id)
    return _checklist(context)


@router.patch("/gallery", name="api.desk.publish")
def publish(context: Admitted, wanted: Publication) -> Publication:
    """Show the gallery of results to everybody, or to organisers only."""
    change_publication(context, wanted.shown_to)
    return wanted


@router.get("/exports/{table}", name="api.desk.export", response_class=Response)
def give_export(context: Admitted, table: Slug) -> Response:
    """Give everything.zip, or a table as CSV or JSON, such as teams.csv or results.json."""
    return export(context, table)


def _dates(context: Context, row: Phase) -> PhaseDates:
    from dataclasses import replace as with_dates

    phase = with_dates(context.contest.challenge.phase(row.slug), opens=row.opens_at, closes=row.closes_at)
    return PhaseDates(
        id=row.slug,
        state=phase_state(phase, context.now, is_paused=row.paused_at is not None),
        opens=row.opens_at,
        closes=row.closes_at,
        stated_opens=row.stated_opens_at,
        stated_closes=row.stated_closes_at,
        paused_at=row.paused_at,
    )


def _finalists(context: Context) -> FinalistsRecord:
    with context.server.database.reading() as session:
        found: dict[str, Any] = read_finalists(context, session)
        proposal, standings = found["proposal"], found["standings"]
        if proposal is None:
            raise StateError("challenge.toml has no [finalists]")
        return FinalistsRecord(
            places=found["rule"].count,
            phase=found["phase"].id,
            invited=[
                FinalistRecord(
                    id=row.id,
                    place=row.position,
                    team_id=row.team_id,
                    team=team,
                    invited_at=row.invited_at,
                    accepted_at=row.accepted_at,
                    declined_at=row.declined_at,
                    replaces=row.replaces_id,
                )
                for row, team in found["invited"]
            ],
            proposed=[_candidate(standings[each.team]) for each in proposal.invited],
            waiting=[_candidate(standings[team]) for team in proposal.waiting],
            tied_out=[int(team) for team in proposal.tied_out],
            n_vacant=proposal.n_vacant,
        )


def _candidate(standing: Standing) -> Candidate:
    row = standing.row
    if row.rank is None:
        raise InputError(f"{standing.team} has no rank")
    return Candidate(team_id=int(row.entry.team), team=standing.team, rank=row.rank, score=row.entry.score)


def _checklist(context: Context) -> Checklist:
    with context.server.database.reading() as session:
        points = read_checklist(context, session)
    return Checklist(
        computed=[
            PointRecord(key=each.key, text=each.text, is_done=each.is_done, left=list(each.left))
            for each in points["computed"]
        ],
        manual=[
            PointRecord(
                key=each.key,
                text=each.text,
                is_done=each.is_done,
                ticked_by=each.ticked_by,
                ticked_at=each.ticked_at,
            )
            for each in points["manual"]
        ],
    )
