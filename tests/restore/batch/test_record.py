import dataclasses

from raim import __version__
from raim.restore.batch.record import Made, describe_work, read_record, vouches, write_record
from raim.weights import weights_sha256

# Of the three letters "abc" (FIPS 180-4, appendix).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
MADE = Made(input="1", output=ABC, seconds=0.5, work="w", notes=("a note",))


def test_work_names_restorer_options_version_and_weights(inverting):
    restorer = dataclasses.replace(inverting.restorer, weights=("ffdnet-color",))
    expected = f"invert; sigma=3; raim {__version__}; ffdnet-color {weights_sha256('ffdnet-color')[:16]}"
    assert describe_work(restorer, sigma=3, model=None) == expected


def test_what_is_written_is_read(tmp_path):
    write_record(tmp_path, {"b": MADE, "a": dataclasses.replace(MADE, notes=())})
    assert read_record(tmp_path) == {"a": dataclasses.replace(MADE, notes=()), "b": MADE}
    assert len(list(tmp_path.iterdir())) == 1


def test_it_vouches_for_the_very_file_of_the_very_work(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "y").write_bytes(b"abd")
    assert vouches(MADE, tmp_path / "x", "w")
    assert not vouches(MADE, tmp_path / "x", "other")
    assert not vouches(MADE, tmp_path / "y", "w")
    assert not vouches(MADE, tmp_path / "z", "w")
    assert not vouches(None, tmp_path / "x", "w")
