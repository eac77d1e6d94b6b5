import pytest

import training_world


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Give a folder that holds photographs/ and pairs/."""
    folder = tmp_path_factory.mktemp("training")
    training_world.make_photographs(folder / "photographs")
    training_world.make_pairs(folder / "pairs", noise=12)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _psnr_alone():
    """Add a profile that takes milliseconds."""
    with pytest.MonkeyPatch.context() as patched:
        training_world.add_profile(patched)
        yield
