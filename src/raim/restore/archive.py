"""A submission from restored photographs: one zip of PNG files with its readme.txt, as `raim check` wants it."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from raim.files import cannot_write, write_whole
from raim.scoring.submission import Readme, format_readme

README = "readme.txt"
# Archives of the same files are the same bytes: no clock enters. The earliest time that the format can say.
MOMENT = (1980, 1, 1, 0, 0, 0)


def write_submission(path: Path, images: Sequence[Path], readme: Readme) -> None:
    """Write a zip of images and their readme.txt; it appears whole or not at all.

    Args:
        path: Of the zip; one that is there is replaced.
        images: Files, at the root of the zip by their names; PNG is packed already and stored as it is.
        readme: Runtime, device, extra data, description.

    Raises:
        InputError: The zip cannot be written.

    Example:
        >>> import tempfile
        >>> readme = Readme(runtime_s=1.5, is_on_cpu=True, has_extra_data=False, description="none")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_submission(Path(folder, "s.zip"), [], readme)
        ...     zipfile.ZipFile(Path(folder, "s.zip")).namelist()
        ['readme.txt']
    """
    try:
        with write_whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for image in sorted(images):
                archive.writestr(zipfile.ZipInfo(image.name, MOMENT), image.read_bytes())
            archive.writestr(zipfile.ZipInfo(README, MOMENT), format_readme(readme))
    except OSError as error:
        raise cannot_write(path, error) from error
