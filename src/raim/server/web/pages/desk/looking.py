"""Looking at one image of a submission beside its input and its reference, and commenting on it or on a part of it."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import InputError, RaimError, UnknownNameError
from raim.server.database import Comment, Image, Submission, User
from raim.server.submissions import Region, add_comment, list_comments
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import RowId, Text, Ticked, find_row
from raim.server.web.pages.data import give_stored
from raim.server.web.pages.desk.submissions import PATH, show_one
from raim.server.web.pages.submission import find_image, read_results
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
ImageName = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]
Pixels = Annotated[str, Form(max_length=10)]
PARTS = ("x", "y", "width", "height")


@router.get(f"{PATH}/images/{{name}}", name="desk.submission.image")
def show_image(context: Admitted, submission_id: RowId, name: ImageName) -> Response:
    """Show a restored image beside its input and its reference."""
    return _show(context, submission_id, name)


@router.get(f"{PATH}/reference/{{name}}", name="desk.submission.reference")
def give_reference(context: Admitted, submission_id: RowId, name: ImageName) -> Response:
    """Give the reference of an image; for organisers only, whatever the dates."""
    with context.server.database.reading() as session:
        image = _find(session, submission_id, name)
    if image.reference_sha256 is None or image.reference_name is None or image.reference_bytes is None:
        raise UnknownNameError(f"the image {name!r} has no reference")
    return give_stored(
        context, image.reference_sha256, name=image.reference_name, n_bytes=image.reference_bytes
    )


@router.post(f"{PATH}/comments", name="desk.submission.comment")
def comment(
    context: Admitted,
    submission_id: RowId,
    *,
    text: Text = "",
    image: Text = "",
    region_x: Pixels = "",
    region_y: Pixels = "",
    region_width: Pixels = "",
    region_height: Pixels = "",
    shown: Ticked = False,
) -> Response:
    """Write a comment on the submission, on an image of it, or on a part of the image."""
    given = {"x": region_x, "y": region_y, "width": region_width, "height": region_height}
    try:
        region = read_region(given)
        with context.server.database.writing() as session:
            write_comment(
                context, session, submission_id, text=text, image=image, region=region, is_shown=shown
            )
    except RaimError as error:
        if image and not isinstance(error, UnknownNameError):
            return _show(context, submission_id, image, error=error, typed={**given, "text": text})
        return show_one(context, submission_id, error=error, typed=text)
    place = f"{context.here}/desk/submissions/{submission_id}"
    return go_to(_image_path(place, image) if image else place, note="commented")


def write_comment(
    context: Context,
    session: Session,
    submission_id: int,
    *,
    text: str,
    image: str,
    region: Region | None,
    is_shown: bool,
) -> Comment:
    """Write a comment of who asks.

    Raises:
        InputError: The text or the region cannot be used.
        UnknownNameError: There is no such submission or image.
    """
    submission = find_row(session, Submission, submission_id, "submission")
    return add_comment(
        session,
        context.now,
        submission=submission,
        author=session.get_one(User, context.user_id),
        text=text,
        image=find_image(session, submission, image) if image else None,
        region=region,
        is_shown_to_team=is_shown,
    )


def read_region(given: dict[str, str]) -> Region | None:
    """Read a region from the four fields of a form; None if all are empty.

    Raises:
        InputError: Some are empty or no whole numbers.

    Example:
        >>> read_region({"x": "8", "y": "0", "width": "64", "height": "32"})
        Region(x=8, y=0, width=64, height=32)
    """
    texts = [given[part].strip() for part in PARTS]
    if not any(texts):
        return None
    if not all(text.isascii() and text.isdigit() for text in texts):
        raise InputError(f"a region has {', '.join(PARTS)} in whole pixels, or none of them; got {texts}")
    x, y, width, height = map(int, texts)
    return Region(x=x, y=y, width=width, height=height)


def _image_path(place: str, name: str) -> str:
    return f"{place}/images/{quote(name, safe='')}"


def _find(session: Session, submission_id: int, name: str) -> Image:
    return find_image(session, find_row(session, Submission, submission_id, "submission"), name)


def _show(
    context: Context,
    submission_id: int,
    name: str,
    *,
    error: RaimError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    with context.server.database.reading() as session:
        submission = find_row(session, Submission, submission_id, "submission")
        image = find_image(session, submission, name)
        results = read_results(session, submission, context.contest)
        names = list(
            session.scalars(
                select(Image.name).where(Image.data_set_id == submission.data_set_id).order_by(Image.name)
            )
        )
        place = names.index(image.name)
        return render(
            context,
            "desk_image.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error_text="" if error is None else str(error),
            typed=typed or dict.fromkeys((*PARTS, "text"), ""),
            submission=submission,
            image=image,
            data_set=context.contest.data_set_of_row(submission.data_set_id),
            result=next((result for result, of in results if of.id == image.id), None),
            comments=list_comments(session, submission_id, for_team=False, image_id=image.id),
            measures=context.server.profile.columns,
            before=names[place - 1] if place else None,
            after=names[place + 1] if place + 1 < len(names) else None,
        )
