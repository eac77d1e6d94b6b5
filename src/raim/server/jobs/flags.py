"""What an organiser should look at: entries that are the reference or another team's. Flags stop no score."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from raim.server.database import Image, Submission, SubmittedImage, Team

# A distance of exactly nothing between the features of two images: their pixels are the same.
DISTANCES = ("lpips", "dists")


def flag_files(session: Session, submission: Submission) -> dict[str, str]:
    """Find what is suspicious in the files of a submission whose images are noted; give texts by flags' codes."""
    found = {
        "reference-file": _flag_references(session, submission),
        "same-file": _flag_same_file(session, submission),
        "same-images": _flag_same_images(session, submission),
    }
    return {code: text for code, text in found.items() if text}


def flag_pixels(measures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Find images that are the reference pixel by pixel, from their measures by name.

    Example:
        >>> flag_pixels({"0001": {"psnr": 80.0, "dists": 0.0}, "0002": {"psnr": 31.2, "dists": 0.1}})
        {'reference-pixels': '1 of 2 images has the pixels of its reference: 0001'}
    """
    same = [
        name
        for name, values in measures.items()
        if values.get("psnr") == "inf" or any(values.get(distance) == 0 for distance in DISTANCES)
    ]
    if not same:
        return {}
    verb = "has the pixels of its reference" if len(same) == 1 else "have the pixels of their references"
    return {"reference-pixels": f"{len(same)} of {len(measures)} images {verb}: {_some(same)}"}


def _own(submission: Submission) -> Select[Any]:
    """Select the submission's images that are no inputs: those anybody may send."""
    given = select(Image.input_sha256).where(Image.data_set_id == submission.data_set_id)
    return select(SubmittedImage).where(
        SubmittedImage.submission_id == submission.id, SubmittedImage.sha256.not_in(given)
    )


def _flag_references(session: Session, submission: Submission) -> str:
    references = select(Image.reference_sha256).where(
        Image.data_set_id == submission.data_set_id, Image.reference_sha256.is_not(None)
    )
    found = _own(submission).where(SubmittedImage.sha256.in_(references)).order_by(SubmittedImage.name)
    same = [each.name for each in session.scalars(found)]
    return f"{len(same)} of its images are the file of a reference: {_some(same)}" if same else ""


def _flag_same_file(session: Session, submission: Submission) -> str:
    rows = session.execute(
        select(Submission.id, Team.name)
        .join(Team, Team.id == Submission.team_id)
        .where(
            Submission.committed_sha256 == submission.committed_sha256,
            Submission.team_id != submission.team_id,
            Submission.where("has_file"),
        )
        .order_by(Submission.id)
    ).all()
    others = [f"{number} of team {team!r}" for number, team in rows]
    return f"its file is that of submission {_some(others)}" if others else ""


def _flag_same_images(session: Session, submission: Submission) -> str:
    own = _own(submission).with_only_columns(SubmittedImage.sha256)
    others = session.execute(
        select(Submission.id, Team.name, func.count(SubmittedImage.sha256.distinct()))
        .join(Team, Team.id == Submission.team_id)
        .join(SubmittedImage, SubmittedImage.submission_id == Submission.id)
        .where(
            Submission.data_set_id == submission.data_set_id,
            Submission.team_id != submission.team_id,
            SubmittedImage.sha256.in_(own),
        )
        .group_by(Submission.id, Team.name)
        .order_by(Submission.id)
    )
    texts = [f"{n_same} with submission {number} of team {team!r}" for number, team, n_same in others]
    n_own = session.scalar(select(func.count()).select_from(own.subquery()))
    return f"of its {n_own} images it shares files: {_some(texts)}" if texts else ""


def _some(texts: list[str]) -> str:
    listed = ", ".join(texts[:5])
    return f"{listed} and {len(texts) - 5} more" if len(texts) > 5 else listed
