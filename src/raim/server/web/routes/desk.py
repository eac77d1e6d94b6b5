"""The organisers' desk: how everything stands, phases, announcements, finalists, the closing checklist."""

import shutil
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from raim.errors import InputError
from raim.records import desk as records
from raim.records.teams import FinalAnswer
from raim.server.actions.announcements import announce, withdraw_announcement
from raim.server.actions.challenge_reread import read_again
from raim.server.actions.checklist import tick
from raim.server.actions.finalists import answer_invitation, invite_finalists, replace_finalist
from raim.server.actions.phases import extend, pause, resume, set_dates
from raim.server.actions.versions import switch_versions
from raim.server.current_challenge import CurrentChallenge, load_current
from raim.server.database import Announcement, Finalist, Study, User
from raim.server.jobs.bundles import count_bundle_bytes
from raim.server.queries import desk as queries
from raim.server.queries.rows import find_row
from raim.server.storage import free_bytes
from raim.server.study.publication import (
    ChallengeOutcome,
    Charts,
    check_may_publish,
    find_outcome,
    hide,
    publish,
)
from raim.server.web.charts import draw_all, read_material
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, RowId, Slug
from raim.server.web.routing import Area

area = Area("desk")


@area.get("/desk", who="organiser", template="desk")
def show_overview(context: RequestContext) -> records.Overview:
    """Return phases, queue, workers, disks, failures, and what waits for an organiser."""
    server = context.server
    return queries.read_overview(
        context.session,
        context.challenge,
        context.now,
        forecast=context.forecast,
        folder_free_bytes=shutil.disk_usage(server.settings.folder).free,
        storage_free_bytes=context.aside(free_bytes, server.storage),
        bundle_bytes=sum(
            count_bundle_bytes(
                context.session, server.settings.folder, context.challenge.definition.id
            ).values()
        ),
    )


@area.get("/desk/live", who="organiser", template="desk_live", is_api=False)
def show_live_overview(context: RequestContext) -> records.Overview:
    """Return the part of the overview that changes by itself."""
    return show_overview(context)


@area.post("/desk/versions/switch", who="organiser", page=show_overview, note="switched")
def switch(context: RequestContext, wanted: records.VersionSwitch) -> list[records.NewVersion]:
    """Let leaderboards and rankings show the newest version's results; give what is in force since."""
    done = switch_versions(
        context.session,
        context.now,
        context.challenge,
        even_incomplete=wanted.even_incomplete,
        actor_id=context.user_id,
    )
    return list(done)


@area.get("/desk/phases", who="organiser", template="desk_phases")
def show_phases(context: RequestContext) -> records.PhaseList:
    """Return all phases, with their dates in force and those of challenge.toml."""
    return queries.list_phases(context.session, _in_force(context), context.now)


@area.post("/desk/phases/{phase_id}", who="organiser", page=show_phases, note="saved")
def change_phase(context: RequestContext, phase_id: Slug, wanted: records.PhaseChange) -> records.PhaseList:
    """Change the dates of a phase; pause or resume it."""
    session, now, actor_id = context.session, context.now, context.user_id
    row = queries.find_phase_row(session, context.challenge, phase_id)
    if wanted.opens is not None or wanted.closes is not None:
        zone = _zone(context, wanted.zone)
        opens_at, closes_at = row.opens_at, row.closes_at
        if wanted.opens is not None:
            opens_at = parse_time(wanted.opens, zone, shown=opens_at)
        if wanted.closes is not None:
            closes_at = parse_time(wanted.closes, zone, shown=closes_at)
        set_dates(session, now, row, opens_at=opens_at, closes_at=closes_at, actor_id=actor_id)
    if wanted.is_paused is not None:
        (pause if wanted.is_paused else resume)(session, now, row, actor_id=actor_id)
    session.flush()
    return show_phases(context)


@area.post("/desk/phases/{phase_id}/extend", who="organiser", page=show_phases, note="extended")
def extend_phase(context: RequestContext, phase_id: Slug, wanted: records.NewExtension) -> records.PhaseList:
    """Let a phase close later, with its reason and what becomes of tries."""
    row = queries.find_phase_row(context.session, context.challenge, phase_id)
    closes_at = parse_time(wanted.closes, _zone(context, wanted.zone))
    extend(
        context.session,
        context.now,
        row,
        closes_at=closes_at,
        reason=wanted.reason,
        tries=wanted.tries,
        actor_id=context.user_id,
    )
    return show_phases(context)


def _zone(context: RequestContext, named: str | None) -> ZoneInfo | None:
    """Return the challenge's zone where times are said to be in it; None where they state their own."""
    zone = context.challenge.definition.timezone
    if named is not None and named != zone.key:
        raise InputError(f"times are in {zone.key} now; open the page again")
    return None if named is None else zone


def parse_time(text: str, zone: ZoneInfo | None = None, *, shown: datetime | None = None) -> datetime:
    """Read a time; of an hour that comes twice in a zone, the first is meant.

    Args:
        text: As typed.
        zone: In which it is; None where it has to state its own.
        shown: The time that the form showed; typed as it was shown it stays, to its fraction and in its hour.

    Raises:
        InputError: It is no time, in no zone or in two, or one that a change of clocks leaves out.

    Example:
        >>> parse_time("2026-07-01T12:00", ZoneInfo("Europe/Zurich")).isoformat()
        '2026-07-01T10:00:00+00:00'
    """
    try:
        local = datetime.fromisoformat(text.strip())
        if zone is None and local.tzinfo is not None:
            return local.astimezone(UTC)
    except ValueError as error:
        where = "" if zone is None else f", in {zone.key}"
        raise InputError(f"{text[:40]!r} is no time; write it as 2026-03-31T12:00{where}") from error
    except OverflowError as error:
        raise InputError(f"{text[:40]!r} is too far away") from error
    if zone is None:
        raise InputError(f"{text[:40]!r} names no zone; write it as 2026-03-31T12:00:00Z, or send zone")
    if local.tzinfo is not None:
        raise InputError(f"{text[:40]!r} names a zone of its own; write it in {zone.key}, without a zone")
    if shown is not None and local == shown.astimezone(zone).replace(tzinfo=None, microsecond=0):
        return shown
    try:
        moment = local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"{text[:40]!r} is too far away") from error
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise InputError(f"there is no {text[:40]} in {zone.key}: the clocks are put forward then")
    return moment


@area.post("/desk/challenge/read", who="organiser", page=show_phases, shows=True)
def read_file_again(context: RequestContext) -> records.FileReading:
    """Read challenge.toml again: all its problems are given, or it is in force."""
    from raim.server.jobs.versions import scorer_version

    server = context.server
    return context.aside(
        read_again,
        server.database,
        server.storage,
        context.now,
        server.settings.folder,
        context.challenge,
        scorer_version=scorer_version,
        actor_id=context.user_id,
    )


@area.get("/desk/announcements", who="organiser", template="desk_announcements")
def show_announcements(context: RequestContext, page: Page = "") -> records.AnnouncementList:
    """Return all announcements, newest first, with those that were withdrawn."""
    return queries.list_announcements(context.session, context.challenge, page=page)


@area.post("/desk/announcements", who="organiser", page=show_announcements, note="announced", status=201)
def make_announcement(
    context: RequestContext, wanted: records.NewAnnouncement
) -> records.AnnouncementDetails:
    """Publish a text in Markdown."""
    author = context.session.get_one(User, context.user_id)
    row = announce(
        context.session,
        context.now,
        challenge_id=context.challenge.id,
        author=author,
        title=wanted.title,
        text=wanted.text,
    )
    return queries.as_announcement(row, author.name)


@area.post(
    "/desk/announcements/{announcement_id}/withdraw",
    who="organiser",
    page=show_announcements,
    note="unannounced",
)
def end_announcement(context: RequestContext, announcement_id: RowId) -> records.AnnouncementDetails:
    """Take a text off the pages."""
    row = find_row(
        context.session, Announcement, announcement_id, "announcement", challenge_id=context.challenge.id
    )
    withdraw_announcement(context.session, context.now, row, actor_id=context.user_id)
    return queries.as_announcement(row, context.session.get_one(User, row.author_id).name)


@area.get("/desk/finalists", who="organiser", template="desk_finalists")
def show_finalists(context: RequestContext) -> records.FinalistList:
    """Return the finalists, and who would be invited now."""
    server = context.server
    return queries.list_places(
        context.session, context.challenge, server.standings, context.challenge.profile
    )


@area.post("/desk/finalists", who="organiser", page=show_finalists, note="invited")
def invite_finalist_teams(context: RequestContext, wanted: records.Invited) -> records.FinalistList:
    """Invite teams, in the order of places."""
    if not wanted.teams:
        raise InputError("no team is ticked; tick those that are to be invited")
    invite_finalists(context.session, context.now, context.challenge, wanted.teams, actor_id=context.user_id)
    return show_finalists(context)


@area.post("/desk/finalists/{finalist_id}/answer", who="organiser", page=show_finalists, note="answered")
def answer_for_team(context: RequestContext, finalist_id: RowId, wanted: FinalAnswer) -> records.FinalistList:
    """Write down what a team has said by another way."""
    row = find_row(context.session, Finalist, finalist_id, "finalist")
    answer_invitation(context.session, context.now, row, accepts=wanted.accepts, actor_id=context.user_id)
    return show_finalists(context)


@area.post("/desk/finalists/{finalist_id}/replace", who="organiser", page=show_finalists, note="replaced")
def replace(context: RequestContext, finalist_id: RowId, wanted: records.Replacement) -> records.FinalistList:
    """Invite another team in the place of one."""
    row = find_row(context.session, Finalist, finalist_id, "finalist")
    replace_finalist(
        context.session, context.now, context.challenge, row, wanted.team_id, actor_id=context.user_id
    )
    return show_finalists(context)


@area.get("/desk/checklist", who="organiser", template="desk_checklist")
def show_checklist(context: RequestContext) -> records.Checklist:
    """Return what is done and what is left before awards are given."""
    return queries.read_checklist(context.session, _in_force(context), context.now)


@area.post("/desk/checklist", who="organiser", page=show_checklist, note="saved")
def change_point(context: RequestContext, wanted: records.Tick) -> records.Checklist:
    """Tick a point by hand, or take the tick back."""
    tick(
        context.session,
        context.now,
        context.challenge,
        wanted.point,
        is_done=wanted.is_done,
        actor_id=context.user_id,
    )
    return show_checklist(context)


@area.post("/desk/publish", who="organiser", page=show_checklist, note="saved")
def change_publication(context: RequestContext, wanted: records.Publication) -> records.Checklist:
    """Show ranking and gallery to everybody as they are now, or to organisers only."""
    if wanted.shown_to == "organisers":
        hide(context.session, context.now, context.challenge, actor_id=context.user_id)
        return show_checklist(context)
    outcome, charts = context.aside(_draw, context)  # takes seconds: nobody waits for a change meanwhile
    check_may_publish(context.session, context.challenge)
    publish(
        context.session,
        context.now,
        context.challenge,
        outcome,
        charts,
        standings=context.server.standings,
        profile=context.challenge.profile,
        actor_id=context.user_id,
    )
    return show_checklist(context)


def _draw(context: RequestContext) -> tuple[ChallengeOutcome | None, Charts]:
    server, challenge = context.server, context.challenge
    with server.database.reading() as session:
        check_may_publish(session, challenge)
        outcome = find_outcome(
            session,
            challenge,
            standings=server.standings,
            results=server.results,
            profile=context.challenge.profile,
        )
        study = None if outcome is None or outcome.study_id is None else session.get(Study, outcome.study_id)
        material = None if study is None else read_material(context, session, study)
    return outcome, {} if material is None else draw_all(material)


def _in_force(context: RequestContext) -> CurrentChallenge:
    """Return the challenge as this very request may have changed it; nothing that may be undone is kept."""
    return load_current(context.session, context.challenge.definition)
