import numpy as np
import pytest

from raim.study import StudyDesign, simulate_ballots
from raim.study.files import StudyDocument

ENTRIES = ("=SUM(A1)", "Team B", "c,d", "é")


@pytest.fixture
def document():
    """Give a simulated study of four entries, five images and three judges."""
    images = {f"{number}": "moire" if number % 2 else "" for number in range(1, 6)}
    design = StudyDesign(seed=3, entries=ENTRIES, images=images, n_judges=3, repeats_share=0.2, n_traps=1)
    strengths = {name: 1.0 * place for place, name in enumerate(ENTRIES)}
    ballots = simulate_ballots(design, strengths, np.random.default_rng(1))
    return StudyDocument(ballots=ballots, design=design, is_simulated=True)
