"""What an organiser should look at: entries that are the reference or another team's. Flags stop no score."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import Image, Submission, Team

# A distance of exactly nothing between the features of two images: their pixels are the same.
DISTANCES = ("lpips", "dists")


def flag_files(session: Session, submission: Submission, image_sha256: Mapping[str, str]) -> dict[str, str]:
    """Find what is suspicious in the files of a checked submission (SHA-256 by stem); give texts by flags' codes."""
    images = session.scalars(select(Image).where(Image.data_set_id == submission.data_set_id)).all()
    given = {each.input_sha256 for each in images}
    own = {name: sha256 for name, sha256 in image_sha256.items() if sha256 not in given}
    found = {
        "reference-file": _flag_references(images, own),
        "same-file": _flag_same_file(session, submission),
        "same-images": _flag_same_images(session, submission, own),
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


def _flag_references(images: Iterable[Image], own: Mapping[str, str]) -> str:
    references = {each.reference_sha256 for each in images if each.reference_sha256 is not None}
    same = [name for name, sha256 in own.items() if sha256 in references]
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


def _flag_same_images(session: Session, submission: Submission, own: Mapping[str, str]) -> str:
    others = session.execute(
        select(Submission.id, Team.name, Submission.report)
        .join(Team, Team.id == Submission.team_id)
        .where(
            Submission.data_set_id == submission.data_set_id,
            Submission.team_id != submission.team_id,
            Submission.report.is_not(None),
        )
        .order_by(Submission.id)
    )
    hashes = set(own.values())
    texts = []
    for number, team, report in others:
        same = hashes.intersection((report or {}).get("image_sha256", {}).values())
        if same:
            texts.append(f"{len(same)} with submission {number} of team {team!r}")
    return f"of its {len(own)} images it shares files: {_some(texts)}" if texts else ""


def _some(texts: list[str]) -> str:
    listed = ", ".join(texts[:5])
    return f"{listed} and {len(texts) - 5} more" if len(texts) > 5 else listed
