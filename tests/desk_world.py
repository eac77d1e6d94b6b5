"""Teams, submissions and results put straight into a database: what the organiser's desk is tested on."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import event, select

from raim.challenge import Challenge, DataSet, FinalistRule, Intake, Phase, Website
from raim.server import database as tables
from raim.server.actions.accounts import appoint, register
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.teams import make_team
from raim.server.auditing import record_event
from raim.server.current_challenge import load_current
from raim.server.storage import open_storage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSION = "raim-2024-1"
HASH = "of a password that nobody has"
MEASURES = {"psnr": 30.0, "ssim": 0.9, "lpips": 0.1, "dists": 0.05, "niqe": 4.0}


def make_challenge(**changes):
    """Make a challenge of two phases: ten days of scores, and five days of final sets for two finalists."""
    intake = Intake(on="pairs")
    first = Phase(id="first", name="First", opens=NOON, closes=NOON + timedelta(days=10), scored=intake)
    last = Phase(
        id="last",
        name="Last",
        opens=NOON + timedelta(days=10),
        closes=NOON + timedelta(days=15),
        final=intake,
        open_to="finalists",
    )
    zone = ZoneInfo("UTC")
    made = Challenge(
        folder=Path(),
        id="raim",
        name="RAIM",
        timezone=zone,
        day_timezone=zone,
        profile="raim-2024",
        contact="",
        website=Website(description=""),
        phases=(first, last),
        data_sets=(DataSet(id="pairs", name="Pairs", kind="paired", folder=Path(), manifest=""),),
        finalists=FinalistRule(count=2, phase="first"),
    )
    return replace(made, **changes)


@dataclass
class World:
    """A challenge in a database, and what tests put into it."""

    database: object
    definition: Challenge
    now: datetime = NOON
    teams: dict = field(default_factory=dict)

    def challenge(self):
        with self.database.reading() as session:
            return load_current(session, self.definition)

    def user(self, login, *, office=None, **options):
        with self.database.writing() as session:
            challenge_id = load_current(session, self.definition).id
            options = {"challenge_id": challenge_id, **options}
            user = register(session, self.now, login=login, password_hash=HASH, **options)
            if office is not None:
                appoint(session, self.now, challenge_id, user, office, actor_id=user.id)
            return user.id

    def team(self, name, *, email=None, address=None, state="approved"):
        """Make a team of one; give the number of its row."""
        with self.database.writing() as session:
            login = f"of {name}"
            user = register(session, self.now, login=login, password_hash=HASH, email=email, address=address)
            challenge = load_current(session, self.definition)
            member = make_team(session, self.now, challenge_id=challenge.id, name=name, user=user)
            session.get_one(tables.Team, member.team_id).state = state
            self.teams[name] = (member.team_id, member.id, user.id)
            return member.team_id

    def images(self, *names, data_set="pairs"):
        """Put images into a data set."""
        challenge = self.challenge()
        with self.database.writing() as session:
            for name in names:
                session.add(
                    tables.Image(
                        data_set_id=challenge.data_set_ids[data_set],
                        name=name,
                        scenario="indoor",
                        width=64,
                        height=48,
                        input_name=f"{name}.png",
                        input_sha256="1" * 64,
                        input_bytes=1,
                        reference_name=f"{name}.png",
                        reference_sha256="2" * 64,
                        reference_bytes=1,
                    )
                )

    def submission(
        self, team, *, state="scored", score=70.0, unscorable=None, phase="first", kind="scored", **columns
    ):
        """Put a submission of a team into a phase, with the results that its state calls for."""
        challenge = self.challenge()
        team_id, member_id, _ = self.teams[team]
        record = challenge.definition.phase(phase)
        values = {
            "received_at": max(self.now, record.opens),
            "state_at": self.now,
            "committed_bytes": 9,
            "committed_sha256": hashlib.sha256(f"{team} {score} {len(columns)}".encode()).hexdigest(),
            "takes_try": state not in {"failed", "refused"},
            "error": "the disk is full" if state in {"failed", "refused"} else None,
        }
        with self.database.writing() as session:
            row = tables.Submission(
                team_id=team_id,
                phase_id=challenge.phase_ids[phase],
                data_set_id=challenge.data_set_ids[record.intakes[kind].on],
                member_id=member_id,
                kind=kind,
                state=state,
                **{**values, **columns},
            )
            session.add(row)
            session.flush()
            session.add(
                tables.Upload(
                    submission_id=row.id,
                    key=f"{row.id:048d}",
                    file_name="result.zip",
                    received_bytes=9,
                    updated_at=self.now,
                    finished_at=None if state == "receiving" else self.now,
                )
            )
            if state == "scored":
                self.add_results(session, challenge, row, score, unscorable=unscorable)
            record_event(session, self.now, "put there", row, actor_id=None)
            return row.id

    def add_results(
        self, session, challenge, row, score, *, unscorable=None, scorer_version=None, measures=None
    ):
        """Add the results of a submission under a version, the one in force if none is named."""
        in_force, reference_version = challenge.in_force[challenge.data_set_of_row(row.data_set_id)]
        versions = {
            "submission_id": row.id,
            "scorer_version": scorer_version or in_force,
            "reference_version": reference_version,
            "scored_at": self.now,
        }
        means = MEASURES if measures is None else measures
        session.add(
            tables.EntryResult(
                **versions,
                score=score,
                unscorable=unscorable,
                measures=means,
                scenarios={},
                n_images=1,
                n_scored=0 if unscorable else 1,
            )
        )
        images = select(tables.Image.id).where(tables.Image.data_set_id == row.data_set_id)
        for image_id in session.scalars(images):
            session.add(
                tables.Result(
                    **versions,
                    image_id=image_id,
                    restored_sha256="3" * 64,
                    score=score,
                    unscorable=unscorable,
                    measures=means,
                )
            )
        session.flush()

    def row(self, table, row_id):
        """Give a row as it is now."""
        with self.database.reading() as session:
            found = session.get_one(table, row_id)
            session.expunge(found)
            return found

    def actions(self):
        """Give the actions of the log, oldest first."""
        with self.database.reading() as session:
            return list(session.scalars(select(tables.AuditEvent.action).order_by(tables.AuditEvent.id)))


def make_world(database, **changes):
    """Bring a challenge into an empty database, with an organiser."""
    definition = make_challenge(**changes)
    import_challenge(database, open_storage("memory://world"), NOON, definition, scorer_version=VERSION)
    world = World(database=database, definition=definition)
    world.organiser = world.user("olga", is_administrator=True)
    return world


class CountedQueries:
    """Counts what a database is asked while it is entered."""

    def __init__(self, database):
        self.engine, self.statements = database.engine, []

    def __enter__(self):
        event.listen(self.engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_):
        event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(self, _connection, _cursor, statement, *_rest):
        if not statement.startswith("BEGIN"):
            self.statements.append(statement)

    def __len__(self):
        return len(self.statements)
