"""What is kept in the storage, why, and how much of it a team and a challenge may have."""

import functools
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Integer,
    Select,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from raim.errors import StorageFullError
from raim.files import say_size
from raim.records.kept import Kept
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import DataSet, Image, Phase, Study, StudyEntry, StudyImage, Submission
from raim.server.database.entries import is_kept

IN_STUDY = "in a study"
# Reasons to keep a submission's file, with the claim of its state; of several reasons the first counts.
CLAIMS = {
    "scored": "has_score",
    "accepted": "is_handed_over",
    "under way": "is_under_way",
    "failed": "is_restartable",
    "withdrawn": "is_withdrawn",
    "refused": "is_refused",
}
KEPT_KINDS = ("images of data sets", "tiles of studies", IN_STUDY, "chosen", *CLAIMS)
Owner = Literal["team_id", "challenge_id", ""]


def read_kept(session: Session, by: Owner = "", **where: Any) -> dict[int | None, dict[str, int]]:
    """Return how many bytes are kept for which reason, by team, by challenge, or under None in all.

    A file that several submissions of an owner have is kept once, and counts once. What is on its way counts as
    it was promised.

    Args:
        session: Any session.
        by: Whose files count together.
        where: `team_id` or `challenge_id`, to ask for these only; `apart_from`, the SHA-256 of a file to leave out.
    """
    rows = session.execute(_query(by, *sorted(where)), where)
    found: dict[int | None, dict[str, int]] = {}
    for why, n_bytes, *owners in rows:
        found.setdefault(owners[0] if by else None, {})[KEPT_KINDS[why]] = int(n_bytes)
    return found


@functools.cache
def _query(by: Owner, *names: str) -> Select[Any]:
    """Return the query of `read_kept`, which takes what is given by these names; to make it takes as long as to ask."""
    files = list_files().subquery()
    given: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in names}
    apart_from = [files.c.sha256 != given.pop("apart_from")] if "apart_from" in given else []
    owner = [files.c[by]] if by else []
    once = (
        select(*owner, func.min(files.c.why).label("why"), func.max(files.c.n_bytes).label("n_bytes"))
        .where(*apart_from, *(files.c[name] == value for name, value in given.items()))
        .group_by(*owner, files.c.sha256)
        .subquery()
    )
    owner = [once.c[by]] if by else []
    return (
        select(once.c.why, func.sum(once.c.n_bytes), *owner).group_by(once.c.why, *owner).order_by(once.c.why)
    )


def kept_of_team(session: Session, challenge: CurrentChallenge, team_id: int, *, for_team: bool) -> Kept:
    """Return what is kept of a team's files; a team does not see which of them are in a study."""
    kinds = read_kept(session, "team_id", team_id=team_id).get(team_id, {})
    if for_team and IN_STUDY in kinds:
        kinds["accepted"] = kinds.get("accepted", 0) + kinds.pop(IN_STUDY)
    return as_kept(kinds, challenge.definition.uploads.team_bytes)


def as_kept(kinds: dict[str, int], quota_bytes: int | None = None) -> Kept:
    """Return the record of what is kept."""
    return Kept(n_bytes=sum(kinds.values()), quota_bytes=quota_bytes, kinds=kinds)


def check_quotas(
    session: Session, challenge: CurrentChallenge, team_id: int, *, n_bytes: int, sha256: str = ""
) -> None:
    """Refuse a file that would be beyond what its team, or all of its challenge, may have; `sha256` if it is known.

    Raises:
        StorageFullError: It would.
    """
    quotas: list[tuple[str, int | None, Owner, int]] = [
        ("your team", challenge.definition.uploads.team_bytes, "team_id", team_id),
        ("this challenge", challenge.quota_bytes, "challenge_id", challenge.id),
    ]
    for who, quota, by, number in quotas:
        if quota is None:
            continue
        kinds = read_kept(session, by, apart_from=sha256, **{by: number}).get(number, {})
        if sum(kinds.values()) + n_bytes > quota:
            refused = kinds.get("refused", 0)
            freed = f" {say_size(refused)} of it are refused, which they can free." if refused else ""
            raise StorageFullError(
                f"{who} has {say_size(sum(kinds.values()))} of at most {say_size(quota)} here, and this file of "
                f"{say_size(n_bytes)} would be beyond that; ask the organisers for room.{freed}"
            )


def list_files() -> CompoundSelect[Any]:
    """Select challenge_id, team_id, why, sha256, n_bytes of the files that rows name; `why`: place in `KEPT_KINDS`."""
    in_study = (
        select(StudyEntry.id)
        .join(Study, Study.id == StudyEntry.study_id)
        .where(StudyEntry.submission_id == Submission.id, Study.state != "discarded")
        .exists()
    )
    reasons = [(in_study, IN_STUDY), (Submission.is_chosen, "chosen")]
    reasons += [(Submission.where(claim), kind) for kind, claim in CLAIMS.items()]
    why = case(
        *((condition, KEPT_KINDS.index(kind)) for condition, kind in reasons), else_=len(KEPT_KINDS) - 1
    )
    nobody, images = cast(null(), Integer), literal(0)
    return union_all(
        select(
            Phase.challenge_id.label("challenge_id"),
            Submission.team_id.label("team_id"),
            why.label("why"),
            Submission.committed_sha256.label("sha256"),
            Submission.committed_bytes.label("n_bytes"),
        )
        .join(Phase, Phase.id == Submission.phase_id)
        .where(is_kept() | Submission.where("is_arriving")),
        select(DataSet.challenge_id, nobody, images, Image.input_sha256, Image.input_bytes).join(
            Image, Image.data_set_id == DataSet.id
        ),
        select(DataSet.challenge_id, nobody, images, Image.reference_sha256, Image.reference_bytes)
        .join(Image, Image.data_set_id == DataSet.id)
        .where(Image.reference_sha256.is_not(None)),
        select(Study.challenge_id, nobody, literal(1), StudyImage.pack_sha256, StudyImage.pack_bytes)
        .join(StudyImage, StudyImage.study_id == Study.id)
        .where(StudyImage.pack_sha256.is_not(None)),
    )
