"""Images of submissions: their results, and what organisers say about them."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records import submissions as records
from raim.server.database import Comment, EntryResult, Image, Result, Submission, User


def find_image(session: Session, submission: Submission, name: str) -> Image:
    """Return the row of an image of a submission's data set.

    Raises:
        UnknownNameError: There is none of that name.
    """
    found = select(Image).where(Image.data_set_id == submission.data_set_id, Image.name == name)
    image = session.scalar(found)
    if image is None:
        raise UnknownNameError(f"there is no image {name!r} in this submission")
    return image


def name_images(session: Session, submission: Submission) -> dict[str, str | None]:
    """Return the scenario of each image by its name, in the order of names."""
    found = select(Image.name, Image.scenario).where(Image.data_set_id == submission.data_set_id)
    return {each.name: each.scenario for each in session.execute(found.order_by(Image.name))}


def list_results(
    session: Session, entry: EntryResult | None, *, image_id: int | None = None
) -> list[records.ImageResult]:
    """Return the results of one pair of versions, of all images or one: those without a score first, then the worst."""
    if entry is None:
        return []
    found = (
        select(Result, Image)
        .join(Image, Image.id == Result.image_id)
        .where(
            Result.submission_id == entry.submission_id,
            Result.scorer_version == entry.scorer_version,
            Result.reference_version == entry.reference_version,
        )
        .order_by(Result.score.is_not(None), Result.score, Image.name)
    )
    rows = session.execute(found if image_id is None else found.where(Image.id == image_id))
    return [
        records.ImageResult.of_row(result, name=image.name, scenario=image.scenario) for result, image in rows
    ]


def list_comments(
    session: Session, submission_id: int, *, for_team: bool, image_id: int | None = None
) -> list[records.Comment]:
    """Return the comments on a submission or on one image of it, oldest first; to the team only those meant for it."""
    found = (
        select(Comment, User.name, Image.name)
        .join(User, User.id == Comment.author_id)
        .outerjoin(Image, Image.id == Comment.image_id)
        .where(Comment.submission_id == submission_id)
        .order_by(Comment.id)
    )
    if for_team:
        found = found.where(Comment.is_shown_to_team)
    if image_id is not None:
        found = found.where(Comment.image_id == image_id)
    return [
        records.Comment.of_row(each, author=author, image=image, region=_region(each))
        for each, author, image in session.execute(found)
    ]


def _region(comment: Comment) -> records.Region | None:
    parts: dict[str, Any] = {name: getattr(comment, f"region_{name}") for name in records.Region.model_fields}
    return None if comment.region_x is None else records.Region(**parts)
