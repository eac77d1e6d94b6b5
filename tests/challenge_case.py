"""A small challenge for the tests of its rules."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from raim.challenge import (
    Challenge,
    DataSet,
    Intake,
    Phase,
    Registration,
    Website,
)


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def make_challenge(day_timezone: str = "UTC", *, approval: bool = False, **scored) -> Challenge:
    limits = {"tries_per_day": 2, "tries_in_all": 5, **scored}
    folder = Path("/challenge")
    return Challenge(
        folder=folder,
        id="c",
        name="C",
        timezone=ZoneInfo("UTC"),
        day_timezone=ZoneInfo(day_timezone),
        profile="raim-2024",
        contact="a@example.org",
        website=Website(description="about"),
        data_sets=(
            DataSet(id="a", name="A", kind="paired", folder=folder),
            DataSet(id="b", name="B", kind="paired", folder=folder),
            DataSet(id="c", name="C", kind="unpaired", folder=folder, reference=""),
        ),
        phases=(
            Phase(
                id="tuning",
                name="Tuning",
                opens=utc(3, 1),
                closes=utc(3, 10),
                gives_out=("a",),
                gives_references_of=("a",),
                leaderboard="teams",
            ),
            Phase(
                id="feedback",
                name="Feedback",
                opens=utc(3, 10),
                closes=utc(3, 20, 12),
                gives_out=("b",),
                keeps_giving=False,
                leaderboard="teams",
                scored=Intake(on="b", **limits),
                feedback=Intake(on="c"),
            ),
            Phase(
                id="final",
                name="Final",
                opens=utc(4, 1),
                closes=utc(4, 10),
                open_to="finalists",
                gives_out=("c",),
                leaderboard="organisers",
                final=Intake(on="c", tries_in_all=1),
            ),
        ),
        registration=Registration(approval_required=approval),
    )
