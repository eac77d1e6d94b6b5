"""Balanced incomplete designs: which k of n entries each judge sees of each image.

Entries are chosen one after the other, each time the one that was shown least often of this image, then least often
together with those already chosen, then least often at all; chance decides the rest. So the counts are as even as they
can be at any time, also if judges do not vote: for every image the exposures of two entries differ by at most one, and
pairs appear together nearly equally often: in the cases tested within three showings or 6 % of even.

Source: the aim is a balanced incomplete block design (Cochran and Cox, "Experimental Designs", chapter 11); no exact
one exists for most numbers of judges, images and entries, so it is approached greedily.
"""

import functools

import numpy as np
from jaxtyping import Int

Chosen = Int[np.ndarray, "judges images tiles"]


@functools.lru_cache(maxsize=32)
def choose_shown_entries(*, seed: int, n_judges: int, n_images: int, n_entries: int, n_tiles: int) -> Chosen:
    """Choose which entries each judge sees of each image.

    Args:
        seed: Of the study.
        n_judges: How many judges to choose for; the choice for the first ones does not depend on it.
        n_images: Images.
        n_entries: Entries in all.
        n_tiles: Entries that a trial shows.

    Returns:
        (judges, images, tiles) places of entries.

    Example:
        >>> chosen = choose_shown_entries(seed=1, n_judges=3, n_images=4, n_entries=4, n_tiles=2)
        >>> chosen.shape, np.bincount(chosen.ravel()).tolist()
        ((3, 4, 2), [6, 6, 6, 6])
    """
    rng = np.random.default_rng([seed, n_images, n_entries, n_tiles])
    of_image = np.zeros((n_images, n_entries), int)
    together = np.zeros((n_entries, n_entries), int)
    chosen = np.empty((n_judges, n_images, n_tiles), int)
    for judge in range(n_judges):
        for image in rng.permutation(n_images):
            tiles = _choose(of_image[image], together, n_tiles, rng)
            of_image[image, tiles] += 1
            together[np.ix_(tiles, tiles)] += 1
            chosen[judge, image] = tiles
    chosen.setflags(write=False)
    return chosen


def _choose(
    shown: Int[np.ndarray, " entries"],
    together: Int[np.ndarray, "entries entries"],
    n_tiles: int,
    rng: np.random.Generator,
) -> list[int]:
    tiles: list[int] = []
    chance = rng.random(len(shown))
    for _ in range(n_tiles):
        pairs = together[:, tiles].sum(1) if tiles else np.zeros(len(shown), int)
        order = np.lexsort((chance, np.diagonal(together), pairs, shown))
        tiles.append(next(int(each) for each in order if each not in tiles))
    return tiles
