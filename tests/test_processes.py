import os

import pytest

from raim.errors import RaimError
from raim.processes import map_processes


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_comes_back_with_its_result(workers):
    assert sorted(map_processes(abs, [-3, 1, -2], workers)) == [(-3, 3), (-2, 2), (1, 1)]


def test_a_killed_worker_says_what_to_do():
    with pytest.raises(RaimError, match=r"a worker process was killed.*fewer --workers"):
        list(map_processes(os._exit, [1, 1], workers=2))
