import dataclasses

from raim import __version__
from raim.restore.batch.record import describe_work
from raim.weights import weights_sha256


def test_work_names_restorer_options_version_and_weights(inverting):
    restorer = dataclasses.replace(inverting.restorer, weights=("ffdnet-color",))
    expected = f"invert; sigma=3; raim {__version__}; ffdnet-color {weights_sha256('ffdnet-color')[:16]}"
    assert describe_work(restorer, sigma=3, model=None) == expected
