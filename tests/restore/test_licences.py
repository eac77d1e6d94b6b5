import dataclasses

import pytest

from raim.restore import RESTORERS, blend, chain, find_restorer, restorer_from_callable
from raim.restore.licences import ALLOWING, find_commercial_use, find_weights_licence
from raim.weights import WEIGHTS


def test_the_licence_of_weights_is_that_of_the_table_of_weights():
    assert find_weights_licence(find_restorer("dat-light-x2")) == WEIGHTS["dat-light-x2"].licence
    assert find_weights_licence(find_restorer("identity")) == ""


def test_a_chain_has_the_licences_of_all_its_parts_once():
    joined = chain([find_restorer(name) for name in ("ffdnet", "nlm", "dat-light-x2", "ffdnet")])
    assert joined.licence == "Apache-2.0; MIT"
    assert find_weights_licence(joined) == "MIT; Apache-2.0"


@pytest.mark.parametrize("licence", ["CC-BY-NC-4.0", "GPL-3.0-only", "unheard of", "MIT; CC-BY-NC-4.0"])
def test_a_licence_that_is_not_known_to_allow_commercial_use_is_pointed_at(licence):
    restorer = dataclasses.replace(find_restorer("nlm"), licence=licence)
    assert find_commercial_use(restorer) == "see the licence"
    assert find_commercial_use(chain([find_restorer("identity"), restorer])) == "see the licence"


def test_weights_count_as_the_code_does(monkeypatch):
    rows = {**WEIGHTS, "ffdnet-color": dataclasses.replace(WEIGHTS["ffdnet-color"], licence="CC-BY-NC-4.0")}
    monkeypatch.setattr("raim.weights.table.WEIGHTS", rows)
    assert find_commercial_use(find_restorer("ffdnet")) == "see the licence"
    assert find_commercial_use(find_restorer("nlm")) == "yes"


def test_of_a_users_own_no_licence_is_known_in_a_chain_and_a_mixture_neither():
    own = restorer_from_callable("numpy:flipud")
    for restorer in (own, blend(own, 0.5), chain([find_restorer("ffdnet"), own])):
        assert find_commercial_use(restorer) == "yours"
    trained = dataclasses.replace(find_restorer("identity"), has_weights_of_user=True)
    assert find_weights_licence(trained) == "yours"
    assert find_commercial_use(chain([trained, find_restorer("ffdnet")])) == "yours"


def test_every_built_in_restorer_is_licensed_by_names_that_are_known():
    for restorer in RESTORERS.values():
        assert set(restorer.licence.split("; ")) <= ALLOWING
