import re
from dataclasses import FrozenInstanceError

import pytest

from raim.errors import UnknownNameError
from raim.weights.conversion import CONVERSIONS
from raim.weights.table import WEIGHTS, select_weights, weight_set

SCORING = ["vgg16", "alexnet", "lpips-heads-alexnet", "lpips-heads-vgg16", "dists", "niqe"]
DAT = ["dat-light-x2", "dat-light-x3", "dat-light-x4"]
NAMES = [*SCORING, "real-esrgan-x4plus", "realsr-df2k-x4", "ffdnet-color", "maxim-deblur", *DAT]


def test_the_sets_are_those_that_raim_uses():
    assert list(WEIGHTS) == NAMES


def test_every_hash_is_a_sha256_and_none_is_there_twice():
    hashes = [artifact.sha256 for artifact in {row.artifact for row in WEIGHTS.values()}]
    hashes += [row.content_sha256 for row in WEIGHTS.values()]
    hashes += [member.sha256 for row in WEIGHTS.values() for member in row.members]
    assert all(re.fullmatch("[0-9a-f]{64}", found) for found in hashes)
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_complete(name):
    row = weight_set(name)
    assert row.conversion in CONVERSIONS
    assert row.licence in {"BSD-2-Clause", "BSD-3-Clause", "MIT", "Apache-2.0"}
    assert row.artifact.version in row.artifact.file_name


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        WEIGHTS["vgg16"] = WEIGHTS["dists"]
    with pytest.raises(FrozenInstanceError):
        WEIGHTS["vgg16"].name = "other"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'vgg16'"):
        weight_set("vgg19")


def test_a_group_stands_for_its_sets():
    assert select_weights(["scoring"]) == tuple(SCORING)
    assert select_weights(["dists", "scoring", "dists"])[0] == "dists"
    assert len(select_weights(["scoring", "restoring"])) == len(NAMES)
    with pytest.raises(UnknownNameError, match="scoring"):
        select_weights(["score"])
