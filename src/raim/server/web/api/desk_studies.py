"""The organisers' API: blinded studies, their judges, their results."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import StudyRule
from raim.server.database import Study
from raim.server.study.building import build_study, propose_study
from raim.server.study.closing import check_revealed
from raim.server.study.judges import revoke_judge
from raim.server.study.progress import JudgeProgress, judge_progress
from raim.server.study.ties import change_ties, ties_of
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.ranking import ranking_record
from raim.server.web.api.study_records import (
    EntryChange,
    FaultRecord,
    JudgeChange,
    JudgeLinkRecord,
    JudgeLinks,
    JudgeList,
    JudgeRecord,
    NewJudges,
    NewStudy,
    PreviewLink,
    ProposalRecord,
    ProposedEntryRecord,
    ProposedImage,
    StudyBrief,
    StudyEntryRecord,
    StudyList,
    StudyRecord,
    StudyResultsRecord,
    StudyStep,
)
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import RowId, Search, Slug, find_row
from raim.server.web.pages.desk.studies import find_phase, list_studies, stated_rule
from raim.server.web.pages.desk.study import change_state, read_study, retry_tiles
from raim.server.web.pages.desk.study_judges import (
    JudgeLink,
    count_votes,
    find_one,
    invite_lines,
    make_preview,
    remind_one,
)
from raim.server.web.pages.desk.study_results import export_study, rank_entry, read_results
from raim.study import as_plain

router = APIRouter(prefix=f"{PREFIX}/desk/studies", tags=["desk"], responses=FAILURES, dependencies=LIMITED)
RULE_FIELDS = ("mode", "tiles", "repeats_share", "traps", "training", "conflicts", "judges")


@router.get("", name="api.desk.studies")
def give_studies(context: Admitted) -> StudyList:
    """Give all studies, newest first."""
    with context.server.database.reading() as session:
        found = list_studies(session, context.contest)
        return StudyList(studies=[_brief(context, study, counts) for study, counts in found])


@router.get("/proposal", name="api.desk.studies.proposal")
def give_proposal(context: Admitted, phase: Search = "") -> ProposalRecord:
    """Give what a study of a phase's final submissions would be made of, and what each team lacks."""
    chosen = find_phase(context.contest, phase)
    with context.server.database.reading() as session:
        found = propose_study(session, context.contest, chosen)
    return ProposalRecord(
        phase=chosen.id,
        data_set=found.data_set,
        entries=[
            ProposedEntryRecord(
                team_id=each.team_id,
                team=each.team,
                submission_id=each.submission_id,
                missing=list(each.missing),
                is_whole=each.is_whole,
            )
            for each in found.entries
        ],
        images=[ProposedImage(name=name, issue=issue) for _, name, issue in found.images],
        design=_plain_rule(stated_rule(context.contest, chosen)),
    )


@router.post("", name="api.desk.studies.create", status_code=201)
def create_study(context: Admitted, wanted: NewStudy) -> StudyRecord:
    """Make the draft of a study; its tiles are then made by a job."""
    phase = find_phase(context.contest, wanted.phase or "")
    with context.server.database.writing() as session:
        study = build_study(
            session,
            context.now,
            context.contest,
            propose_study(session, context.contest, phase),
            title=wanted.title or context.contest.challenge.name,
            rule=_rule(wanted, stated_rule(context.contest, phase)),
            seed=wanted.seed,
            submissions=wanted.submissions,
            image_names=wanted.images,
            instructions=wanted.instructions,
            min_width=wanted.min_width,
            min_height=wanted.min_height,
            actor_id=context.user_id,
        )
        session.flush()
        return _record(context, session, study)


@router.get("/{study_id}", name="api.desk.study")
def give_study(context: Admitted, study_id: RowId) -> StudyRecord:
    """Give a study as it stands."""
    return _give(context, study_id)


@router.patch("/{study_id}", name="api.desk.study.change")
def take_step(context: Admitted, study_id: RowId, wanted: StudyStep) -> StudyRecord:
    """Open a study, close it, open it again, reveal it or put it aside."""
    change_state(context, study_id, wanted.step, reason=wanted.reason, is_sure=wanted.is_sure)
    return _give(context, study_id)


@router.post("/{study_id}/tiles", name="api.desk.study.tiles")
def make_tiles_again(context: Admitted, study_id: RowId) -> StudyRecord:
    """Have the tiles made again that could not be made."""
    retry_tiles(context, study_id)
    return _give(context, study_id)


@router.post("/{study_id}/preview", name="api.desk.study.preview", status_code=201)
def preview(context: Admitted, study_id: RowId) -> PreviewLink:
    """Make a link under which an organiser looks at the study as a judge does; what is voted so is no vote."""
    return PreviewLink(link=make_preview(context, study_id))


@router.get("/{study_id}/judges", name="api.desk.study.judges")
def give_judges(context: Admitted, study_id: RowId) -> JudgeList:
    """Give how far the judges are."""
    with context.server.database.reading() as session:
        study = find_row(session, Study, study_id, "study")
        ties = ties_of(session, study)
        return JudgeList(
            judges=[_judge(each, ties.get(each.judge.id, {})) for each in judge_progress(session, study)]
        )


@router.post("/{study_id}/judges", name="api.desk.study.judges.invite", status_code=201)
def invite(context: Admitted, study_id: RowId, wanted: NewJudges) -> JudgeLinks:
    """Invite judges, all or none; their links are told only now."""
    lines = "\n".join(
        f"{' '.join(each.name.splitlines())}, {each.email}".rstrip(", ") for each in wanted.judges
    )
    return JudgeLinks(
        links=[_link(each) for each in invite_lines(context, study_id, lines, ties=wanted.ties)]
    )


@router.patch("/{study_id}/judges/{judge_id}", name="api.desk.study.judge.change")
def change_judge(context: Admitted, study_id: RowId, judge_id: RowId, wanted: JudgeChange) -> JudgeList:
    """Revoke an invitation, write down ties, or leave a judge's votes out of the main result."""
    with context.server.database.writing() as session:
        judge = find_one(session, study_id, judge_id)
        if wanted.ties is not None:
            change_ties(session, context.now, judge, wanted.ties, actor_id=context.user_id)
        if wanted.is_revoked:
            revoke_judge(session, context.now, judge, actor_id=context.user_id)
    if wanted.excluded is not None:
        count_votes(context, study_id, judge_id, reason=wanted.excluded or None)
    return give_judges(context, study_id)


@router.post("/{study_id}/judges/{judge_id}/remind", name="api.desk.study.judge.remind")
def remind(context: Admitted, study_id: RowId, judge_id: RowId) -> JudgeLinkRecord:
    """Make a further link of a judge, for a reminder."""
    return _link(remind_one(context, study_id, judge_id))


@router.get("/{study_id}/results", name="api.desk.study.results")
def give_results(context: Admitted, study_id: RowId) -> StudyResultsRecord:
    """Give ranking and analysis of a revealed study; judges stand in it without names."""
    with context.server.database.reading() as session:
        study = find_row(session, Study, study_id, "study")
        check_revealed(study, "results are told")
        results = read_results(context, session, study)
        return StudyResultsRecord(
            ranking=ranking_record(
                results.ranking, results, title=study.title, is_simulated=study.is_simulated
            ),
            excluded_judges=dict(results.excluded),
            analysis=as_plain(results.analysis),
        )


@router.patch("/{study_id}/entries/{entry_id}", name="api.desk.study.entry.change")
def change_entry(context: Admitted, study_id: RowId, entry_id: RowId, wanted: EntryChange) -> StudyRecord:
    """Leave an entry out of the ranking after the vote, or take it back in."""
    rank_entry(context, study_id, entry_id, reason=wanted.left_out or None)
    return _give(context, study_id)


@router.get("/{study_id}/exports/{file}", name="api.desk.study.export", response_class=Response)
def give_export(context: Admitted, study_id: RowId, file: Slug) -> Response:
    """Give votes.csv, votes.json, changes.csv or archive.zip of a revealed study."""
    return export_study(context, study_id, file)


def _give(context: Context, study_id: int) -> StudyRecord:
    with context.server.database.reading() as session:
        return _record(context, session, find_row(session, Study, study_id, "study"))


def _secret(study: Study) -> frozenset[str]:
    """Name what of the design is told only after the reveal: the labels follow from it."""
    return frozenset({"entries"} if study.state == "revealed" else {"entries", "seed"})


def _brief(context: Context, study: Study, counts: Any) -> StudyBrief:
    return StudyBrief(
        id=study.id,
        title=study.title,
        state=study.state,
        phase=context.contest.phase_of_row(study.phase_id).id,
        is_simulated=study.is_simulated,
        n_entries=counts["entries"],
        n_images=counts["images"],
        n_judges=counts["judges"],
        n_finished=counts["finished"],
        created_at=study.created_at,
    )


def _record(context: Context, session: Session, study: Study) -> StudyRecord:
    found = read_study(session, study)
    return StudyRecord(
        id=study.id,
        title=study.title,
        state=study.state,
        phase=context.contest.phase_of_row(study.phase_id).id,
        is_simulated=study.is_simulated,
        design={key: value for key, value in study.design.items() if key not in _secret(study)},
        entries=[
            StudyEntryRecord(
                id=each.row.id,
                team_id=each.team_id,
                team=each.team,
                submission_id=each.submission_id,
                left_out=each.row.left_out_reason,
            )
            for each in found["entries"]
        ],
        n_images=found["n_images"],
        n_tiles_made=found["n_images"] - found["n_unmade"],
        n_faults=found["n_faults"],
        faults=[FaultRecord(image=image, error=error) for image, error in found["faults"]],
        created_at=study.created_at,
        opened_at=study.opened_at,
        closed_at=study.closed_at,
        revealed_at=study.revealed_at,
        discarded_at=study.discarded_at,
    )


def _judge(each: JudgeProgress, ties: dict[int, str]) -> JudgeRecord:
    row = each.judge
    return JudgeRecord(
        id=row.id,
        number=row.number,
        name=row.name,
        email=row.email,
        state=each.state,
        n_trials=each.n_trials,
        n_done=each.n_done,
        median_s=each.median_s,
        left_s=each.left_s,
        ties=sorted(ties),
        flags=list(each.flags),
        screen_is_fine=None if each.screen is None else each.screen.is_fine,
        invited_at=row.invited_at,
        reminded_at=row.reminded_at,
        seen_at=row.seen_at,
        finished_at=row.finished_at,
        revoked_at=row.revoked_at,
        excluded=row.excluded_reason,
    )


def _link(made: JudgeLink) -> JudgeLinkRecord:
    return JudgeLinkRecord(judge_id=made.judge_id, name=made.name, email=made.email, link=made.link)


def _plain_rule(rule: StudyRule) -> dict[str, Any]:
    return {
        **{name: getattr(rule, name) for name in RULE_FIELDS},
        "points": list(rule.points),
        "criteria": list(rule.criteria),
    }


def _rule(wanted: NewStudy, rule: StudyRule) -> StudyRule:
    given: dict[str, Any] = {
        name: getattr(wanted, name) for name in RULE_FIELDS if getattr(wanted, name) is not None
    }
    given |= {
        name: tuple(value) for name in ("points", "criteria") if (value := getattr(wanted, name)) is not None
    }
    return replace(rule, **given)
