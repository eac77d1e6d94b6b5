"""Comments on submissions, their images or regions of them: of organisers to the team, or among organisers."""

from datetime import datetime

from sqlalchemy.orm import Session

from raim.errors import InputError
from raim.records.submissions import Region
from raim.server.auditing import record_event
from raim.server.database import Comment, Image, Submission, User

LONGEST = 5000


def add_comment(
    session: Session,
    now: datetime,
    *,
    submission: Submission,
    author: User,
    text: str,
    image: Image | None = None,
    region: Region | None = None,
    is_shown_to_team: bool = True,
) -> Comment:
    """Write a comment.

    Raises:
        InputError: The text is empty or too long, the image is of another data set, or the region outside of it.
    """
    text = text.strip()
    if not 1 <= len(text) <= LONGEST:
        raise InputError(f"a comment has 1 to {LONGEST} characters, this one {len(text)}")
    if image is not None and image.data_set_id != submission.data_set_id:
        raise InputError("the image is not one of this submission")
    if region is not None:
        _check_region(region, image)
    comment = Comment(
        submission_id=submission.id,
        author_id=author.id,
        image_id=None if image is None else image.id,
        region_x=None if region is None else region.x,
        region_y=None if region is None else region.y,
        region_width=None if region is None else region.width,
        region_height=None if region is None else region.height,
        text=text,
        is_shown_to_team=is_shown_to_team,
        created_at=now,
    )
    session.add(comment)
    record_event(session, now, "comment", submission, actor_id=author.id)
    return comment


def _check_region(region: Region, image: Image | None) -> None:
    if image is None:
        raise InputError("a region is part of an image; say which")
    is_inside = (
        min(region.x, region.y) >= 0
        and min(region.width, region.height) > 0
        and region.x + region.width <= image.width
        and region.y + region.height <= image.height
    )
    if not is_inside:
        raise InputError(
            f"the region {region.width}x{region.height} at ({region.x}, {region.y}) is not inside of the image of "
            f"{image.width}x{image.height}"
        )
