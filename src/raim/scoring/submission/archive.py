"""The files of a submission, zip or folder alike, listed without trusting any of them."""

from pathlib import Path

from raim.errors import InputError
from raim.scoring.submission.folder_listing import list_folder
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.member import Listing
from raim.scoring.submission.zip_listing import list_zip


def list_submission(path: Path, *, limits: Limits = DEFAULT_LIMITS, allow_links: bool = False) -> Listing:
    """List a zip or a folder: every member that can be made out, and every problem; hostile content never raises.

    Args:
        path: The zip or the folder.
        limits: What is refused unread.
        allow_links: Whether a folder's links to files elsewhere are followed: for folders that the reader owns.

    Raises:
        InputError: There is nothing at that path, or it cannot be opened.
    """
    if path.is_dir():
        return list_folder(path, limits, allow_links=allow_links)
    try:
        with path.open("rb") as file:
            return list_zip(file, path, limits)
    except FileNotFoundError as error:
        raise InputError(
            f"there is no file or folder {path}; expected a zip or a folder of images"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
