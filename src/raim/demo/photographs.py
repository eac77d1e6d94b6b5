"""The photographs of the demo: those that lie inside scikit-image's wheel, so that nothing is downloaded.

Source: scikit-image, `skimage/data`: the astronaut Eileen Collins (NASA, public domain), the cat Chelsea (Stefan
van der Walt, CC0), a cup of coffee (Rachel Michetti, CC0), a rocket (SpaceX, public domain), a motorcycle
(Middlebury stereo data sets of 2014, Scharstein et al.). They are read from the installed
wheel and never stored in this package.
"""

from pathlib import Path

from raim.data.scikit_image import find_photograph_folder
from raim.errors import MissingExtraError, need_extra

FILES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
INSTALL = "install it with: pip install 'raim[demo]'"


def find_photographs() -> tuple[Path, ...]:
    """Return the files of the photographs in the installed wheel of scikit-image.

    Raises:
        MissingExtraError: If scikit-image is not installed, or is a version without these files.
    """
    folder = find_photograph_folder()
    if folder is None:
        raise MissingExtraError(
            f"the demo's photographs are those of scikit-image, which is missing; {INSTALL}"
        )
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise MissingExtraError(
            f"this scikit-image does not hold {', '.join(missing)} in {folder}; {INSTALL} --upgrade, "
            "or name your own pairs with --data"
        )
    return tuple(folder / name for name in FILES)


def require_opencv() -> None:
    """Make sure that OpenCV, which restores and blurs in the demo, is there.

    Raises:
        MissingExtraError: If it is not.
    """
    need_extra("the demo", "demo", "cv2")
