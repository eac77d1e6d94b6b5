"""A challenge with small images, three teams and what they hand in, for tests of the jobs and their benchmark."""

import hashlib
import io
import itertools
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from held_images import places_of_names
from raim.challenge import StudyRule, read_challenge
from raim.data import read_manifest
from raim.images import read_image, write_image
from raim.scoring.profiles import PROFILES
from raim.server.actions.accounts import register
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.teams import make_team
from raim.server.current_challenge import load_current
from raim.server.database import Challenge, DataSet, Finalist, Image, Phase, Submission
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.finishing import finish_group
from raim.server.jobs.process_pool import TaskOutcome
from raim.server.jobs.scoring import choose_group, score_batch
from raim.server.jobs.versions import scorer_version
from raim.server.jobs.waiting import read_waiting
from raim.server.jobs.workflows import score_group
from raim.server.storage import open_storage, put_file
from raim.server.study.building import build_study, propose_study
from raim.server.submissions.restored import note_restored

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FINAL_SET = "final-unpaired"
README = """\
runtime per image [s] : 1.0
CPU[1] / GPU[0] : 1
Extra Data [1] / No Extra Data [0] : 0
Other description : ours
"""


@dataclass
class Clock:
    """A clock that tests move."""

    now: datetime = NOON

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """A server's database and storage, with what teams do to them."""

    database: object
    storage: object
    example: Path
    folder: Path
    members: dict
    clock: Clock
    numbers: itertools.count
    challenge_id: int
    definition: object

    def context(self, name="one", pool=None, **options):
        return WorkerContext(
            _pool=pool,
            name=name,
            database=self.database,
            storage=self.storage,
            folder=self.folder,
            clock=self.clock,
            **{"patience_s": (0.0, 0.0), **options},
        )

    def images(self, noise=0, data_set="feedback-pairs"):
        """Make restored images: the references (or inputs) with noise of their own."""
        folder = self.example / "data" / data_set
        part = folder / "reference" if (folder / "reference").is_dir() else folder / "input"
        rng = np.random.default_rng(noise)
        made = {}
        for path in sorted(part.iterdir()):
            pixels = read_image(path).pixels
            noisy = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
            made[path.name] = encode(self.folder, noisy)
        return made

    def submit(
        self, team, content=None, *, noise=None, kind="scored", data_set="feedback-pairs", state="checking"
    ):
        """Hand a zip in; it has arrived whole."""
        number = next(self.numbers)
        if content is None:
            content = make_zip(self.images(number if noise is None else noise, data_set))
        sha256 = hashlib.sha256(content).hexdigest()
        put_file(self.storage, [content], n_bytes=len(content), sha256=sha256)
        member = self.members[team]
        with self.database.writing() as session:
            own = {"challenge_id": self.challenge_id}
            phase = session.query(Phase).filter_by(slug="feedback", **own).one()
            row = Submission(
                team_id=member.team_id,
                phase_id=phase.id,
                data_set_id=session.query(DataSet).filter_by(slug=data_set, **own).one().id,
                member_id=member.id,
                kind=kind,
                state=state,
                received_at=NOON + timedelta(minutes=number),
                state_at=NOON,
                committed_bytes=len(content),
                committed_sha256=sha256,
                takes_try=True,
            )
            session.add(row)
            session.flush()
            return row.id

    def read(self, submission_id):
        with self.database.reading() as session:
            row = session.get(Submission, submission_id)
            session.expunge(row)
            return row

    def change(self, submission_id, **values):
        with self.database.writing() as session:
            row = session.get(Submission, submission_id)
            for name, value in values.items():
                setattr(row, name, value)

    def use_profile(self, name):
        """Let the challenge score by another profile; give the scorer version."""
        with self.database.writing() as session:
            row = session.query(Challenge).one()
            row.profile, row.scorer_version = name, scorer_version(name)
            return row.scorer_version

    def rows(self, table, **conditions):
        with self.database.reading() as session:
            found = session.query(table).filter_by(**conditions).order_by(table.id).all()
            session.expunge_all()
            return found


def score_waiting(context):
    """Do what the job of the first in the queue does, until nothing waits; give the groups."""
    groups = []
    while True:
        with context.database.reading() as session:
            waiting = read_waiting(session)
        if not waiting:
            return groups
        first = waiting[0]
        group = choose_group(context, first.submission_id, first.attempt, first.scorer_version)
        groups.append([entry.id for entry in group.entries])
        score_group(
            group,
            lambda group, number, lost: score_batch(context, group, number, lost).model_dump(mode="json"),
            lambda group, records: finish_group(context, group, records),
        )


def make_study(world, *packed):
    """Let ada and bob have final submissions, and build a study of them; give its number.

    Args:
        world: The world.
        packed: Their zips; made here if there are none.
    """
    for team, content in zip(("ada", "bob"), packed or (None, None), strict=True):
        number = world.submit(team, content, kind="final", data_set=FINAL_SET, state="accepted")
        with world.database.writing() as session:
            phases = {each.slug: each.id for each in session.query(Phase)}
            row = session.get_one(Submission, number)
            names = [each.name for each in session.query(Image).filter_by(data_set_id=row.data_set_id)]
            row.phase_id = phases["final"]
            note_restored(session, number, places_of_names(names))
            session.add(
                Finalist(
                    phase_id=phases["feedback"],
                    team_id=row.team_id,
                    position=number,
                    invited_at=world.clock(),
                )
            )
    definition = read_challenge(world.example, profiles=PROFILES, read_manifest=read_manifest)
    with world.database.writing() as session:
        challenge = load_current(session, definition)
        proposal = propose_study(session, challenge, challenge.definition.phase("final"))
        rule = StudyRule(phase="final")
        return build_study(
            session, world.clock(), challenge, proposal, title="S", rule=rule, seed=1, actor_id=None
        ).id


class InlinePool:
    """A pool that works in this process, for tests of what is done with the outcome."""

    def __init__(self, *_):
        pass

    def run(self, work, tasks, **options):
        on_report = options.get("on_report", lambda _task, _message: None)
        for task in tasks:
            yield task, TaskOutcome(value=work(task, lambda message, task=task: on_report(task, message)))

    def close(self):
        pass


def encode(folder, pixels, suffix=".png"):
    path = folder / f"made{suffix}"
    write_image(path, pixels)
    return path.read_bytes()


def make_zip(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in ({"readme.txt": README} | files).items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 0, 0, 0)), content)
    return packed.getvalue()


def make_world(database, example, folder):
    """Bring the example into an empty database, with three teams."""
    storage = open_storage((folder / "files").as_uri())
    definition = read_challenge(example, profiles=PROFILES, read_manifest=read_manifest)
    challenge_id, members = _add_challenge(database, storage, definition)
    return World(
        database=database,
        storage=storage,
        example=example,
        folder=folder,
        members=members,
        clock=Clock(),
        numbers=itertools.count(1),
        challenge_id=challenge_id,
        definition=definition,
    )


def make_neighbour(world, slug):
    """Bring a second challenge into a world's database, with three teams of its own."""
    definition = read_challenge(world.example, profiles=PROFILES, read_manifest=read_manifest)
    definition = replace(definition, id=slug)
    challenge_id, members = _add_challenge(world.database, world.storage, definition, people=slug)
    return replace(world, challenge_id=challenge_id, definition=definition, members=members)


def _add_challenge(database, storage, definition, people=""):
    version = scorer_version(definition.profile)
    challenge_id = import_challenge(
        database, storage, NOON, definition, scorer_version=version, folder=definition.id
    )
    members = {}
    with database.writing() as session:
        for login in ("ada", "bob", "cyn"):
            user = register(session, NOON, login=people + login, password_hash="x")  # noqa: S106 - no password
            member = make_team(
                session, NOON, challenge_id=challenge_id, name=login, user=user, is_approved=True
            )
            members[login] = SimpleNamespace(id=member.id, team_id=member.team_id)
    return challenge_id, members
