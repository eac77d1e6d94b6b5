"""The records of how a challenge is run: registration, uploads, leaderboard, finalists, study, weights."""

from dataclasses import dataclass
from typing import Literal

from raim.challenge.modes import TOP_THREE

Counting = Literal["best", "last", "chosen"]
NewVersions = Literal["wait", "at-once"]
Conflicts = Literal["exclude-judge", "hide-tile"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Website:
    """What the challenge's page says, all of it in Markdown.

    Attributes:
        description: What the challenge is about.
        data: About the data: what it shows, its licence.
        rules: Who may take part, what is allowed.
        awards: About awards and prizes, beside their list.
        footer: At the end of every page, such as the imprint.
    """

    description: str
    data: str = ""
    rules: str = ""
    awards: str = ""
    footer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """How teams come in.

    Attributes:
        email_required: Whether an account needs an e-mail address.
        approval_required: Whether an organiser approves a team before it gets data and submits.
        team_size: The most members of a team.
        consent: What people agree to when they register or make or join a team, in Markdown; "" for nothing.
    """

    email_required: bool = False
    approval_required: bool = False
    team_size: int = 10
    consent: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploads:
    """What a submission's file may be.

    Attributes:
        max_bytes: The largest file.
        grace_seconds: An upload that began before the deadline counts if it ends within this time after it.
        team_bytes: What all files of one team may take together; None for no limit.
    """

    max_bytes: int = 2 * 2**30
    grace_seconds: int = 3600
    team_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderboardRule:
    """How entries are put in order.

    Attributes:
        decimals: Digits after the point to which SCORE is rounded before it is compared.
        ties: Measures that decide between equal rounded scores, in this order.
        tie_decimals: Digits to which those measures are rounded.
        counts: Which entry of a team counts, in phases that do not say so themselves: its "best", its "last" that has a
            score, or the one it has "chosen" (its best until it has).
        new_versions: What happens when raim scores otherwise or references change: the board "wait"s on the results
            that it has until an organiser switches, or shows new ones "at-once", and none until they are there.
    """

    decimals: int = 2
    ties: tuple[str, ...] = ()
    tie_decimals: int = 4
    counts: Counting = "best"
    new_versions: NewVersions = "wait"


@dataclass(frozen=True, kw_only=True, slots=True)
class FinalistRule:
    """Who goes on.

    Attributes:
        count: How many teams are invited.
        phase: Id of the phase whose leaderboard decides.
    """

    count: int = 10
    phase: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyRule:
    """The blinded study of the finalists' images.

    Attributes:
        phase: Id of the phase whose final submissions are judged.
        mode: What a judge does in a trial: a name of `raim.challenge.modes.MODES`.
        judges: How many judges are planned.
        points: For the first, second, third pick.
        repeats_share: Share of trials that are shown a second time, hidden, to see how steady a judge is.
        criteria: What judges look at.
        conflicts: What happens to a judge with a tie to a team: no vote at all, or that team's tile is hidden.
        tiles: How many candidates a trial shows, in a balanced order; 0 for all of them.
        traps: Extra trials with a blurred copy as one candidate; they give no points, they only flag.
        training: Trials with which a judge learns the page, before the first that counts.
    """

    phase: str
    mode: str = TOP_THREE.name
    judges: int = 18
    points: tuple[int, ...] = TOP_THREE.points
    repeats_share: float = 0.05
    # Source: section 3 of the report (arXiv 2405.09923).
    criteria: tuple[str, ...] = ("textures and details", "noise", "artifacts", "fidelity")
    conflicts: Conflicts = "exclude-judge"
    tiles: int = 0
    traps: int = 2
    training: int = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Shares of the final score; they sum to 1. Source: the report's S_final = 0.4 S2 + 0.6 S3n.

    Attributes:
        score: Of S2, the SCORE.
        study: Of S3n, the normalised points of the study.
    """

    score: float = 0.4
    study: float = 0.6
