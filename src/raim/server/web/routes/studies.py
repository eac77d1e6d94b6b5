"""Blinded studies, for organisers: made of final submissions, their judges, their course, what came out.

Before a study is revealed nothing here says what was voted for: votes are counted, never read.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from starlette.responses import Response, StreamingResponse

from raim.challenge import StudyRule
from raim.challenge.modes import check_mode
from raim.errors import InputError
from raim.records.studies import (
    JudgeChange,
    JudgeLink,
    JudgeLinks,
    LeavingOut,
    NewJudges,
    NewStudy,
    PreviewLink,
    StudyDetails,
    StudyFileName,
    StudyList,
    StudyProposal,
    StudyResults,
    StudyStep,
)
from raim.server.auditing import record_event
from raim.server.database import Judge, Study, StudyEntry
from raim.server.queries import studies as queries
from raim.server.queries.ranking import ranking_record
from raim.server.queries.rows import find_row
from raim.server.study import closing, judges
from raim.server.study.ballots import judge_names, real_judges
from raim.server.study.building import build_study, propose_study
from raim.server.study.exports import StudyFile, find_study_file, shown_name, study_files
from raim.server.study.judges import invite_guests
from raim.server.study.ties import change_ties
from raim.server.web.charts import answer_with_chart, list_charts
from raim.server.web.context import RequestContext
from raim.server.web.fields import RowId, Search, Slug
from raim.server.web.routing import Area
from raim.study import analysis_as_plain

area = Area("studies")
STUDY = "/desk/studies/{study_id}"
JUDGE = f"{STUDY}/judges/{{judge_id}}"
DESIGN = ("mode", "points", "tiles", "repeats_share", "traps", "training", "criteria", "conflicts", "judges")


@area.get("/desk/studies", who="organiser", template="desk_studies")
def list_studies(context: RequestContext) -> StudyList:
    """Return all studies, newest first."""
    return queries.list_studies(context.session, context.challenge)


@area.get("/desk/studies/new", who="organiser", template="desk_study_new")
def show_proposal(context: RequestContext, phase: Search = "") -> StudyProposal:
    """Return what a study of a phase's final submissions would be made of, and which images each team misses."""
    return queries.read_proposal(context.session, context.challenge, phase)


@area.post(
    "/desk/studies/new", who="organiser", page=show_proposal, then="/desk/studies/{id}", note="study_made", status=201
)  # fmt: skip
def make_study(context: RequestContext, wanted: NewStudy, phase: Search = "") -> StudyDetails:
    """Make the draft of a study; its tiles are then made by a job."""
    chosen = queries.find_study_phase(context.challenge, phase)
    for name, what in (("submissions", "team"), ("images", "image")):
        if getattr(wanted, name) == []:
            raise InputError(f"no {what} is ticked; tick what the study compares")
    study = build_study(
        context.session,
        context.now,
        context.challenge,
        propose_study(context.session, context.challenge, chosen),
        title=context.challenge.definition.name if wanted.title is None else wanted.title,
        rule=_rule(wanted, queries.stated_rule(context.challenge, chosen)),
        seed=wanted.seed,
        submissions=wanted.submissions,
        image_names=wanted.images,
        instructions=wanted.instructions,
        min_width=wanted.min_width,
        min_height=wanted.min_height,
        actor_id=context.user_id,
    )
    return show_study(context, study.id)


@area.get(STUDY, who="organiser", template="desk_study")
def show_study(context: RequestContext, study_id: RowId) -> StudyDetails:
    """Return a study as it stands."""
    return queries.read_study(context.session, context.challenge, _find(context, study_id))


@area.get(f"{STUDY}/live", who="organiser", template="desk_study_live", is_api=False)
def show_live_study(context: RequestContext, study_id: RowId) -> StudyDetails:
    """Return the part of the page that changes by itself."""
    return show_study(context, study_id)


@area.post(f"{STUDY}/state", who="organiser", page=show_study, then=f"{STUDY}?note=study_{{state}}")
def take_step(context: RequestContext, study_id: RowId, wanted: StudyStep) -> StudyDetails:
    """Open a study, close it, open it again, reveal it or put it aside."""
    study = _find(context, study_id)
    closing.take_step(
        context.session, context.now, context.challenge, study, wanted, actor_id=context.user_id
    )
    return show_study(context, study_id)


@area.post(f"{STUDY}/tiles", who="organiser", page=show_study, note="tiles")
def make_tiles_again(context: RequestContext, study_id: RowId) -> StudyDetails:
    """Have the tiles made again that could not be made."""
    closing.try_tiles_again(context.session, context.now, _find(context, study_id), actor_id=context.user_id)
    return show_study(context, study_id)


@area.post(f"{STUDY}/preview", who="organiser", page=show_study, then="/judge/{token}", status=201)
def preview(context: RequestContext, study_id: RowId) -> PreviewLink:
    """Make a link under which an organiser looks at the study as a judge does; what is voted so is no vote."""
    name = f"preview of {context.viewer.login}"
    _, token = judges.invite_judge(
        context.session, context.now, _find(context, study_id), name=name, is_preview=True, actor_id=context.user_id
    )  # fmt: skip
    return PreviewLink(link=_address(context, token), token=token)


@area.post(f"{STUDY}/judges", who="organiser", page=show_study, shows=True, status=201)
def invite_judges(context: RequestContext, study_id: RowId, wanted: NewJudges) -> JudgeLinks:
    """Invite judges, all or none; their links are shown only now."""
    study = _find(context, study_id)
    invited = invite_guests(
        context.session,
        context.now,
        study,
        wanted.lines or f"{' '.join(wanted.name.split())}, {wanted.email}",
        ties=wanted.ties,
        actor_id=context.user_id,
    )
    return JudgeLinks(links=[_link(context, judge, token, "judge") for judge, token in invited])


@area.post(f"{JUDGE}/remind", who="organiser", page=show_study, shows=True)
def remind(context: RequestContext, study_id: RowId, judge_id: RowId) -> JudgeLinks:
    """Make a further link of a judge, for a reminder."""
    judge = _find_judge(context, study_id, judge_id)
    token = judges.remind_judge(context.session, context.now, judge, actor_id=context.user_id)
    return JudgeLinks(links=[_link(context, judge, token, "reminder")])


@area.post(JUDGE, who="organiser", page=show_study, note="saved")
def change_judge(
    context: RequestContext, study_id: RowId, judge_id: RowId, wanted: JudgeChange
) -> StudyDetails:
    """Write down which teams a judge has a tie to, or let their links open nothing any more."""
    judge = _find_judge(context, study_id, judge_id)
    if wanted.ties is not None:
        change_ties(context.session, context.now, judge, wanted.ties, actor_id=context.user_id)
    if wanted.is_revoked:
        judges.revoke_judge(context.session, context.now, judge, actor_id=context.user_id)
    return show_study(context, study_id)


@area.get(f"{STUDY}/results", who="organiser", template="desk_study_results")
def show_study_results(context: RequestContext, study_id: RowId) -> StudyResults:
    """Return ranking and analysis of a revealed study; judges stand in it without names."""
    study, server = _find(context, study_id), context.server
    closing.check_revealed(study, "results are shown")
    found = server.results.get(
        context.session,
        context.challenge,
        study,
        standings=server.standings,
        profile=context.challenge.profile,
    )
    names = judge_names(real_judges(context.session, study))
    return StudyResults(
        id=study.id,
        title=study.title,
        is_simulated=study.is_simulated,
        seed=study.design["seed"],
        ranking=ranking_record(found.ranking, found, title=study.title, is_simulated=study.is_simulated),
        excluded_judges=dict(found.excluded),
        analysis=analysis_as_plain(found.analysis),
        files=[StudyFileName(name=each.name, title=each.title) for each in study_files(study.id).values()],
        found=found,
        charts=list_charts(context, study),
        judge_ids={name: judge_id for judge_id, name in names.items()},
    )


@area.get(f"{STUDY}/charts/{{name}}", who="organiser", is_page=True)
def give_chart(context: RequestContext, study_id: RowId, name: Slug, theme: Search = "light") -> Response:
    """Return a chart of a revealed study as SVG."""
    return answer_with_chart(context, _find(context, study_id), name, theme)


@area.post(f"{JUDGE}/exclude", who="organiser", page=show_study_results, note="saved")
def exclude_judge(
    context: RequestContext, study_id: RowId, judge_id: RowId, wanted: LeavingOut
) -> StudyDetails:
    """Leave a judge's votes out of the main result, or count them again."""
    judge = _find_judge(context, study_id, judge_id)
    judges.exclude_judge(context.session, context.now, judge, wanted, actor_id=context.user_id)
    return show_study(context, study_id)


@area.post(f"{STUDY}/entries/{{entry_id}}", who="organiser", page=show_study_results, note="saved")
def change_entry(
    context: RequestContext, study_id: RowId, entry_id: RowId, wanted: LeavingOut
) -> StudyDetails:
    """Leave an entry out of the ranking after the vote, or take it back in."""
    study = _find(context, study_id)
    entry = find_row(context.session, StudyEntry, entry_id, "entry", study_id=study.id)
    closing.leave_out(context.session, context.now, entry, wanted, actor_id=context.user_id)
    return show_study(context, study_id)


@area.get(f"{STUDY}/exports/{{file}}", who="organiser", is_page=True)
def give_study_file(context: RequestContext, study_id: RowId, file: Slug) -> Response:
    """Return votes.csv, votes.json, changes.csv or archive.zip of a revealed study."""
    found, study = find_study_file(study_id, file), _find(context, study_id)
    closing.check_revealed(study, "votes are exported")
    headers = {"Content-Disposition": f'attachment; filename="{shown_name(study, file)}"'}
    context.aside(_note_export, context, study_id, file)
    return StreamingResponse(_read(context, found), media_type=found.media_type, headers=headers)


def _note_export(context: RequestContext, study_id: int, file: str) -> None:
    with context.server.database.writing() as session:
        study = session.get_one(Study, study_id)
        record_event(session, context.now, "export study", study, actor_id=context.user_id, file=file)


def _read(context: RequestContext, file: StudyFile) -> Iterator[bytes]:
    with context.server.database.reading() as session:
        yield from file.write(session)


def _find(context: RequestContext, study_id: int) -> Study:
    return find_row(context.session, Study, study_id, "study", challenge_id=context.challenge.id)


def _find_judge(context: RequestContext, study_id: int, judge_id: int) -> Judge:
    study = _find(context, study_id)
    return find_row(context.session, Judge, judge_id, "judge", study_id=study.id)


def _rule(wanted: NewStudy, rule: StudyRule) -> StudyRule:
    given: dict[str, Any] = {
        name: value for name in DESIGN if (value := getattr(wanted, name)) is not None and value != []
    }
    if "mode" in given:
        check_mode(given["mode"])
    if wanted.points is not None:  # a rating has none
        given["points"] = wanted.points
    given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return replace(rule, **given)


def _address(context: RequestContext, token: str) -> str:
    return f"{context.server.settings.public_url}{context.here}/judge/{token}"


def _link(context: RequestContext, judge: Judge, token: str, kind: str) -> JudgeLink:
    subject, letter = judges.write_to_judge(
        context.session, context.server.settings.public_url, judge, token, kind
    )
    return JudgeLink(
        judge_id=judge.id,
        name=judge.name,
        email=judge.email or "",
        is_mailed=judges.is_mailed(context.session, judge, token),
        link=_address(context, token),
        subject=subject,
        letter=letter,
    )
