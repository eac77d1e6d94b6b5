"""Training: a recipe, one loop, and a file that `raim restore --model` takes. Needs the extra `train`."""

from raim.errors import need_extra

need_extra("training", "train", "torch", "lightning_fabric", "scipy")

from raim.restore.training.loop import Listener, Trained, train
from raim.restore.training.recipe import Recipe, list_shipped, parse_recipe, read_recipe

__all__ = ["Listener", "Recipe", "Trained", "list_shipped", "parse_recipe", "read_recipe", "train"]
