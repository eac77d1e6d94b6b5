"""Training: a recipe, one loop, and a file that `raim restore --model` takes. Needs the extra `train`."""

import importlib.util

from raim.errors import MissingExtraError

if importlib.util.find_spec("torch") is None or importlib.util.find_spec("lightning_fabric") is None:
    raise MissingExtraError(
        "training needs torch and Lightning Fabric; install them with: pip install 'raim[train]'"
    )

from raim.restore.training.loop import Listener, Trained, train
from raim.restore.training.recipe import Recipe
from raim.restore.training.recipe_reading import list_shipped, parse_recipe, read_recipe

__all__ = ["Listener", "Recipe", "Trained", "list_shipped", "parse_recipe", "read_recipe", "train"]
