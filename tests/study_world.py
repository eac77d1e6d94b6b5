"""Blinded studies put straight into a database: finalists, images, judges, and seeded votes."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from sqlalchemy import select

from held_images import places_of_names
from raim.challenge import StudyRule
from raim.server import database as tables
from raim.server.study import building, closing, judges, trials, voting
from raim.server.study.ballots import list_study_entries
from raim.server.submissions.restored import note_restored
from raim.study import BLURRED

# Table 1 of the report (arXiv 2405.09923): S2, S3, S_final, rank of the eight ranked teams.
TABLE_1 = {
    "MiAlgo": (79.13, 57, 91.65, 1),
    "Xhs-IAG": (81.96, 47, 82.07, 2),
    "So Elegant": (79.69, 46, 80.09, 3),
    "IIP_IR": (80.03, 14, 45.94, 4),
    "DACLIP-IR": (78.65, 9, 40.03, 5),
    "TongJi-IPOE": (72.99, 11, 39.91, 6),
    "ImagePhoneix": (78.93, 4, 34.79, 7),
    "HIT-IIL": (69.80, 1, 27.92, 8),
}
# 50 images give 300 points; the eight have 189, so a ninth entry had the other 111 and was left out after the vote.
NINTH = "Left Out"
N_IMAGES = 50
# The picks of one image after the other, that give just these points.
FIRSTS = [NINTH] * 37 + ["MiAlgo"] * 13
SECONDS = ["MiAlgo"] * 9 + ["Xhs-IAG"] * 23 + ["So Elegant"] * 18
THIRDS = (
    ["So Elegant"] * 10 + ["IIP_IR"] * 14 + ["DACLIP-IR"] * 9 + ["TongJi-IPOE"] * 11 + ["ImagePhoneix"] * 4
    + ["HIT-IIL"] + ["Xhs-IAG"]
)  # fmt: skip
ISSUES = ("moire", "noise", "text")


@dataclass
class StudyWorld:
    """A study in the challenge of a `desk_world.World`."""

    world: object
    study_id: int = 0
    phase: str = "final"
    data_set: str = "final-unpaired"
    board_phase: str = "feedback"
    judges: list = field(default_factory=list)  # (row, token of the link)

    def writing(self):
        return self.world.database.writing()

    def images(self, *names):
        """Put images with issues into the data set that is judged."""
        challenge = self.world.challenge()
        with self.writing() as session:
            for number, name in enumerate(names):
                session.add(
                    tables.Image(
                        data_set_id=challenge.data_set_ids[self.data_set],
                        name=name,
                        scenario=ISSUES[number % len(ISSUES)],
                        width=64,
                        height=48,
                        input_name=f"{name}.png",
                        input_sha256="1" * 64,
                        input_bytes=1,
                    )
                )

    def image_names(self):
        challenge = self.world.challenge()
        with self.world.database.reading() as session:
            found = select(tables.Image.name).where(
                tables.Image.data_set_id == challenge.data_set_ids[self.data_set]
            )
            return list(session.scalars(found.order_by(tables.Image.name)))

    def finalist(self, name, *, score=None, missing=(), email=None, **columns):
        """Make a team with a score on the board that decides, a place in the final, and a final submission."""
        team_id = self.world.team(name, email=email)
        if score is not None:
            self.world.submission(name, phase=self.board_phase, score=score)
        challenge = self.world.challenge()
        with self.writing() as session:
            if challenge.definition.finalists is not None:
                session.add(
                    tables.Finalist(
                        phase_id=challenge.phase_ids[challenge.definition.finalists.phase],
                        team_id=team_id,
                        position=len(self.world.teams),
                        invited_at=self.world.now,
                        accepted_at=self.world.now,
                    )
                )
        number = self.world.submission(name, phase=self.phase, kind="final", state="accepted", **columns)
        with self.writing() as session:
            held = [image for image in self.image_names() if image not in missing]
            note_restored(session, number, places_of_names(held))
        return number

    def build(self, *, image_names=None, seed=2024, title="Study of tests", is_simulated=False, **rule):
        """Make the draft of a study."""
        challenge = self.world.challenge()
        with self.writing() as session:
            proposal = building.propose_study(session, challenge, challenge.definition.phase(self.phase))
            study = building.build_study(
                session,
                self.world.now,
                challenge,
                proposal,
                title=title,
                rule=StudyRule(phase=self.phase, **rule),
                seed=seed,
                image_names=image_names,
                is_simulated=is_simulated,
                actor_id=None,
            )
            self.study_id = study.id
        return self

    def tiles_are_made(self):
        """Say that the job has made all tiles, without making any."""
        with self.writing() as session:
            for row in session.scalars(
                select(tables.StudyImage).where(tables.StudyImage.study_id == self.study_id)
            ):
                row.pack_sha256, row.pack_bytes, row.made_at = "4" * 64, 1, self.world.now
                row.pack = {"width": 64, "height": 48, "tile": 512}
        return self

    def invite(self, *names, **options):
        """Invite judges; their rows and links are kept in `judges`."""
        with self.writing() as session:
            study = session.get_one(tables.Study, self.study_id)
            for name in names:
                row, token = judges.invite_judge(
                    session, self.world.now, study, name=name, actor_id=None, **options
                )
                self.judges.append((row.id, token))
        return self

    def step(self, action, **options):
        """Do "open", "close", "reopen", "reveal" or "discard"."""
        with self.writing() as session:
            study = session.get_one(tables.Study, self.study_id)
            getattr(closing, f"{action}_study")(session, self.world.now, study, actor_id=None, **options)
        return self

    def open(self):
        return self.tiles_are_made().step("open")

    def vote(self, choose, *, share=1.0, finish=True, only=None):
        """Let judges vote in their trials, training too.

        Args:
            choose: Gives the teams of a trial's picks, best first: (judge's place, image, kind, teams shown) -> picks;
                a mapping for ratings.
            share: Of the trials; the others stay open.
            finish: Whether they say that they are done.
            only: Places of judges; all if None.
        """
        rng = np.random.default_rng(7)
        for place in range(len(self.judges)):
            if only is None or place in only:
                self._vote_as(place, choose, rng, share=share, finish=finish)
        return self

    def _vote_as(self, place, choose, rng, *, share, finish):
        judge_id, _ = self.judges[place]
        with self.writing() as session:
            study = session.get_one(tables.Study, self.study_id)
            judge = session.get_one(tables.Judge, judge_id)
            trials.draw_trials(session, self.world.now, study, judge)
            session.flush()
            teams = {each.row.code: each.team for each in list_study_entries(session, study)} | {
                BLURRED: BLURRED
            }
            codes = {team: code for code, team in teams.items()}
            images = dict(
                session.execute(
                    select(tables.StudyImage.id, tables.Image.name)
                    .join(tables.Image, tables.Image.id == tables.StudyImage.image_id)
                    .where(tables.StudyImage.study_id == study.id)
                ).all()
            )
            rows = session.scalars(
                select(tables.Trial)
                .where(tables.Trial.judge_id == judge_id)
                .order_by(tables.Trial.part, tables.Trial.position)
            ).all()
            for row in rows[: round(share * len(rows))]:
                shown = tuple(teams[code] for code in row.tiles)
                chosen = choose(place, images[row.study_image_id], row.kind, shown)
                is_rated = isinstance(chosen, dict)
                session.add(
                    tables.Vote(
                        trial_id=row.id,
                        sequence=1,
                        choice=[] if is_rated else [codes[team] for team in chosen],
                        ratings={codes[team]: grade for team, grade in chosen.items()} if is_rated else {},
                        reasons={},
                        regions=[],
                        seconds=float(np.round(rng.gamma(4, 8), 1)),
                        cast_at=self.world.now + timedelta(seconds=row.position * 40),
                    )
                )
            judge.instructed_at = judge.seen_at = self.world.now
            session.flush()
            if finish:
                voting.finish_judging(session, self.world.now, study, judge)

    def row(self):
        return self.world.row(tables.Study, self.study_id)

    def entry_id(self, team):
        with self.world.database.reading() as session:
            study = session.get_one(tables.Study, self.study_id)
            return next(each.row.id for each in list_study_entries(session, study) if each.team == team)


def by_strength(strengths, *, n_picks=3, seed=0):
    """Give judges who pick by chance, the more often the stronger a team is (Plackett-Luce)."""
    rng = np.random.default_rng(seed)

    def choose(_place, _image, _kind, shown):
        noise = rng.gumbel(size=len(shown))
        worth = [strengths.get(team, -9.0) + each for team, each in zip(shown, noise, strict=True)]
        return [shown[place] for place in np.argsort(worth)[::-1][:n_picks]]

    return choose


def as_in_table_1(image_names):
    """Give judges who all pick as `FIRSTS`, `SECONDS` and `THIRDS` say."""
    picks = dict(zip(sorted(image_names), zip(FIRSTS, SECONDS, THIRDS, strict=True), strict=True))

    def choose(_place, image, _kind, shown):
        return [team for team in picks[image] if team in shown]

    return choose


def make_table_1(world, *, n_judges=2, is_simulated=False):
    """Put the study into a challenge whose points are those of Table 1 and a ninth entry's; it is revealed."""
    made = StudyWorld(world=world)
    names = [f"t{number:02d}" for number in range(1, N_IMAGES + 1)]
    made.images(*names)
    for team, (score, *_) in TABLE_1.items():
        made.finalist(team, score=score)
    made.finalist(NINTH, score=75.0)
    made.build(image_names=names, is_simulated=is_simulated).invite(
        *(f"Judge {number}" for number in range(1, n_judges + 1))
    )
    made.open().vote(as_in_table_1(names)).step("close").step("reveal")
    return made
