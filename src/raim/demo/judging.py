"""The demo's two blinded studies: one finished, with votes that a program made, and one that waits for judges."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.demo.restorers import ENTRIES
from raim.errors import StateError
from raim.server.database import Image, Judge, Study, StudyImage, Trial, Vote
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.tiling import run_tiling
from raim.server.study.ballots import list_study_entries
from raim.server.study.building import build_study, propose_study
from raim.server.study.closing import close_study, open_study, reveal_study
from raim.server.study.judges import invite_judge
from raim.server.study.trials import draw_trials
from raim.server.study.voting import finish_judging
from raim.server.web.server import WebServer
from raim.study import StudyDesign, simulate_ballots

SEED = 2024
# What the simulated judges think of the entries, on the scale of Plackett-Luce.
STRENGTHS = dict(zip((entry.name for entry in ENTRIES), (0.4, 1.4, -0.4), strict=True))
LAY_BACK = timedelta(days=2)  # of the finished study


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedStudies:
    """The two studies.

    Attributes:
        finished_id: Row of the finished one.
        open_id: Row of the one that waits.
        judge_token: Of the link with which the reader judges.
    """

    finished_id: int
    open_id: int
    judge_token: str


def host_studies(server: WebServer, now: datetime) -> HostedStudies:
    """Build both studies out of the final entries.

    Args:
        server: With three accepted final entries.
        now: The time; the finished study lies before it.
    """
    finished_id = _build(server, now - LAY_BACK, "Final photographs (simulated votes)", is_simulated=True)
    open_id = _build(server, now, "Judge the final photographs yourself", is_simulated=False)
    _make_tiles(server, now)
    with server.database.writing() as session:
        _vote(session, session.get_one(Study, finished_id), now - LAY_BACK)
        study = session.get_one(Study, open_id)
        open_study(session, now, study, actor_id=None)
        _, token = invite_judge(session, now, study, name="You", actor_id=None)
    return HostedStudies(finished_id=finished_id, open_id=open_id, judge_token=token)


def _build(server: WebServer, when: datetime, title: str, *, is_simulated: bool) -> int:
    with server.database.writing() as session:
        challenge = server.challenge(session)
        rule = challenge.definition.study
        if rule is None:
            raise StateError("the demo's challenge has no [study]")
        proposal = propose_study(session, challenge, challenge.definition.phase(rule.phase))
        study = build_study(
            session,
            when,
            challenge,
            proposal,
            title=title,
            rule=rule,
            seed=SEED,
            is_simulated=is_simulated,
            actor_id=None,
        )
        return study.id


def _make_tiles(server: WebServer, now: datetime) -> None:
    """Make the tiles of each image once: both studies have the same seed, so the same codes and packs."""
    context = WorkerContext(
        name="demo",
        database=server.database,
        storage=server.storage,
        folder=server.settings.folder,
        clock=lambda: now,
    )
    with server.database.reading() as session:
        rows = session.execute(select(StudyImage.id, StudyImage.image_id).order_by(StudyImage.id)).all()
    made: dict[int, int] = {}
    for row_id, image_id in rows:
        if image_id not in made:
            run_tiling(context, row_id, in_child=False)
            made[image_id] = row_id
            continue
        with server.database.writing() as session:
            first, row = session.get_one(StudyImage, made[image_id]), session.get_one(StudyImage, row_id)
            row.pack_sha256, row.pack_bytes = first.pack_sha256, first.pack_bytes
            row.pack, row.made_at = first.pack, now


def _vote(session: Session, study: Study, when: datetime) -> None:
    """Let simulated judges vote in every trial, close the study and reveal it."""
    open_study(session, when, study, actor_id=None)
    design = StudyDesign.from_plain(study.design)
    codes = {each.team: each.row.code for each in list_study_entries(session, study)}
    strengths = {codes[team]: strength for team, strength in STRENGTHS.items()}
    ballots = simulate_ballots(design, strengths, np.random.default_rng(SEED))
    rows = session.execute(
        select(StudyImage.id, Image.name)
        .join(Image, Image.id == StudyImage.image_id)
        .where(StudyImage.study_id == study.id)
    )
    images = {row_id: name for row_id, name in rows}  # noqa: C416 - rows of SQL are not typed as pairs
    for number, name in enumerate(ballots.judges, start=1):
        judge, _ = invite_judge(session, when, study, name=f"Simulated judge {number}", actor_id=None)
        draw_trials(session, when, study, judge)
        session.flush()
        cast = {vote.position: vote for vote in ballots.votes if vote.judge == name}
        for trial in _trials(session, judge):
            vote = cast[trial.position]
            if (vote.image, vote.shown) != (images[trial.study_image_id], tuple(trial.tiles)):
                raise StateError(f"the simulated vote {trial.position} of {name} is of another trial")
            session.add(
                Vote(
                    trial_id=trial.id,
                    sequence=1,
                    choice=list(vote.choice),
                    ratings={},
                    reasons={},
                    regions=[],
                    seconds=vote.seconds,
                    cast_at=when + timedelta(seconds=30 * trial.position),
                )
            )
        judge.instructed_at = when
        finish_judging(session, when + timedelta(hours=1), study, judge)
    close_study(session, when + timedelta(hours=2), study, actor_id=None)
    reveal_study(session, when + timedelta(hours=2), study, actor_id=None)


def _trials(session: Session, judge: Judge) -> list[Trial]:
    found = select(Trial).where(Trial.judge_id == judge.id, Trial.part == "voting").order_by(Trial.position)
    return list(session.scalars(found))
