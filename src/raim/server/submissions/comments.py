"""Comments on submissions, their images or regions of them: between team and organisers, or among organisers."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError
from raim.records.submissions import Region
from raim.server.auditing import record_event
from raim.server.database import Comment, Image, Submission, User

LONGEST = 5000
MOST_OF_TEAM = 200  # on one submission


UNREAD = (Comment.is_of_team, Comment.seen_at.is_(None))  # what no organiser has read


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
    is_of_team: bool = False,
) -> Comment:
    """Write a comment; with an organiser's, who writes after reading, what members wrote before is read.

    Raises:
        StateError: The team has written too many on this submission.
        InputError: The text is empty or too long, the image is of another data set, or the region outside of it.
    """
    text = text.strip()
    if not 1 <= len(text) <= LONGEST:
        raise InputError(f"a comment has 1 to {LONGEST} characters, this one {len(text)}")
    if image is not None and image.data_set_id != submission.data_set_id:
        raise InputError("the image is not one of this submission")
    if region is not None:
        _check_region(region, image)
    if is_of_team:
        _check_number(session, submission)
    else:
        read_comments(session, now, submission, actor_id=author.id)
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
        is_of_team=is_of_team,
        created_at=now,
    )
    session.add(comment)
    record_event(session, now, "comment", submission, actor_id=author.id)
    return comment


def read_comments(session: Session, now: datetime, submission: Submission, *, actor_id: int) -> None:
    """Write down that an organiser has read what members wrote on a submission so far."""
    found = session.execute(
        update(Comment)
        .where(Comment.submission_id == submission.id, *UNREAD)
        .values(seen_at=now)
        .returning(Comment.id)
    ).all()
    if found:
        numbers = [each.id for each in found]
        record_event(session, now, "read comments", submission, actor_id=actor_id, comment_ids=numbers)


def _check_number(session: Session, submission: Submission) -> None:
    written = select(func.count()).where(Comment.submission_id == submission.id, Comment.is_of_team)
    if (session.scalar(written) or 0) >= MOST_OF_TEAM:
        raise StateError(
            f"your team has written {MOST_OF_TEAM} comments here; write to the organisers by mail"
        )


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
