import dataclasses
import json

from raim import __version__
from raim.restore.batch.record import RECORD, Made, append_record, describe_work, read_record, vouches
from raim.weights import weights_sha256

# Of the three letters "abc" (FIPS 180-4, appendix).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
MADE = Made(input="1", output=ABC, seconds=0.5, work="w", notes=("a note",))


def test_work_names_restorer_options_version_and_weights(inverting):
    restorer = dataclasses.replace(inverting.restorer, weights=("ffdnet-color",))
    expected = f"invert; sigma=3; raim {__version__}; ffdnet-color {weights_sha256('ffdnet-color')[:16]}"
    assert describe_work(restorer, sigma=3, model=None) == expected


def test_what_is_written_is_read(tmp_path):
    append_record(tmp_path, "a", MADE)
    append_record(tmp_path, "b", MADE)
    append_record(tmp_path, "a", dataclasses.replace(MADE, notes=()))  # the last one counts
    assert read_record(tmp_path) == {"a": dataclasses.replace(MADE, notes=()), "b": MADE}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_record_of_an_older_raim_is_read_and_newer_results_count(tmp_path):
    old = {name: dataclasses.asdict(MADE) for name in ("a", "b")}
    (tmp_path / ".raim-restore.json").write_text(json.dumps(old, indent=1))
    assert read_record(tmp_path) == {"a": MADE, "b": MADE}
    newer = dataclasses.replace(MADE, output="2")
    append_record(tmp_path, "b", newer)
    assert read_record(tmp_path) == {"a": MADE, "b": newer}


def test_a_result_adds_one_line_however_many_there_are(tmp_path):
    sizes = []
    for index in range(3):
        append_record(tmp_path, str(index), MADE)
        sizes.append((tmp_path / RECORD).stat().st_size)
    assert sizes == [sizes[0], 2 * sizes[0], 3 * sizes[0]]


def test_a_torn_line_is_none_and_takes_no_other_with_it(tmp_path):
    append_record(tmp_path, "a", MADE)
    append_record(tmp_path, "b", MADE)
    (tmp_path / RECORD).write_bytes((tmp_path / RECORD).read_bytes()[:-20])
    append_record(tmp_path, "c", MADE)
    assert read_record(tmp_path) == {"a": MADE, "c": MADE}


def test_it_vouches_for_the_very_file_of_the_very_work(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "y").write_bytes(b"abd")
    assert vouches(MADE, tmp_path / "x", "w")
    assert not vouches(MADE, tmp_path / "x", "other")
    assert not vouches(MADE, tmp_path / "y", "w")
    assert not vouches(MADE, tmp_path / "z", "w")
    assert not vouches(None, tmp_path / "x", "w")
