"""Where scikit-image's wheel keeps its photographs: the demo and the recipes of training read them there.

Nothing of it is imported, downloaded or stored in this package.
"""

import importlib.util
from pathlib import Path


def find_photograph_folder() -> Path | None:
    """Return the folder of the photographs in the installed wheel; None where scikit-image is not installed.

    Example:
        >>> folder = find_photograph_folder()
        >>> folder is None or (folder / "astronaut.png").is_file()
        True
    """
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "data"
