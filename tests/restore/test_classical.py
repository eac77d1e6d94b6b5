import numpy as np
import pytest

from raim.restore import restore

cv2 = pytest.importorskip("cv2", reason="the extra restore is not installed")


def test_non_local_means_takes_the_threads_it_is_given_and_leaves_opencv_as_it_was(monkeypatch):
    set_to, original = [], cv2.setNumThreads
    monkeypatch.setattr(cv2, "setNumThreads", lambda n: set_to.append(n) or original(n))
    before = cv2.getNumThreads()
    restore(np.full((16, 16, 3), 128, np.uint8), "nlm", threads=1)
    assert set_to == [1, before]
    assert cv2.getNumThreads() == before
