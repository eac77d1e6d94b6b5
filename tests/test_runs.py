import json
from dataclasses import dataclass, replace

import pytest

from raim.errors import InputError, OutputError
from raim.runs import Journal, OutputFolder, fingerprint, has_hashes

# Of the three letters "abc" (FIPS 180-4, appendix).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    name: str
    seconds: float | None
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()


MADE = Made(name="a", seconds=0.1, parts=(Part(width=3), Part(width=5)), notes=("a note",))
OTHER = replace(MADE, name="b", seconds=None)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "done.jsonl", Made)


@pytest.fixture
def folder(tmp_path):
    return OutputFolder(
        path=tmp_path / "out", command="raim test", patterns=("in/*.png", "log.csv", "done.jsonl")
    )


def prepare(folder, *, is_own=True, goes_on=False, overwrite=False):
    with folder.held(is_own=is_own):
        folder.prepare(goes_on=goes_on, state="is of another run", overwrite=overwrite)


def fill(folder):
    """Write a file of each pattern, one that a killed writer left, and two of somebody else."""
    (folder.path / "in").mkdir(parents=True)
    for name in ("in/1.png", "in/.1.png.7-8.part", "log.csv", "done.jsonl", "in/notes.txt", "mine.png"):
        (folder.path / name).write_text("x")


def list_files(folder):
    return {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("other", [("1", 2), (1, 2, None), (1, 3), (2, 1), ((1, 2),)])
def test_a_fingerprint_changes_with_every_part(other):
    assert fingerprint(1, 2) != fingerprint(*other)


def test_files_are_the_same_by_their_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "y").write_bytes(b"abd")
    assert has_hashes({})
    assert has_hashes({tmp_path / "x": ABC})
    assert not has_hashes({tmp_path / "x": ABC, tmp_path / "y": ABC})
    assert not has_hashes({tmp_path / "x": ABC, tmp_path / "z": ABC})


def test_what_is_noted_is_read_with_its_types_and_the_last_of_a_name_counts(journal):
    assert journal.read() == {}
    for made in (MADE, OTHER, replace(MADE, notes=())):
        journal.append(made)
    assert journal.read() == {"a": replace(MADE, notes=()), "b": OTHER}


def test_an_item_adds_one_line_however_many_there_are(journal):
    sizes = []
    for name in "abc":
        journal.append(replace(MADE, name=name))
        sizes.append(journal.path.stat().st_size)
    assert sizes == [sizes[0], 2 * sizes[0], 3 * sizes[0]]


@pytest.mark.parametrize("cut", range(1, 130, 9))
def test_a_line_that_was_cut_off_is_none_and_takes_no_other_with_it(journal, cut):
    journal.append(MADE)
    journal.append(OTHER)
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    journal.append(replace(MADE, name="c"))
    assert list(journal.read()) in (["a", "c"], ["c"])
    assert journal.read()["c"] == replace(MADE, name="c")


@pytest.mark.parametrize(
    "line",
    ["[1]", "{}", '{"name": "b"}', "[" * 100_000, '{"name": "b", "seconds": "long"}', "\ud800", "null"],
)
def test_a_line_of_something_else_is_none(journal, line):
    journal.append(MADE)
    with journal.path.open("ab") as file:
        file.write(b"\n" + line.encode("utf-8", "surrogatepass"))
    assert journal.read() == {"a": MADE}


def test_a_journal_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        Journal(tmp_path / "no folder" / "done.jsonl", Made).append(MADE)


def test_a_line_holds_all_that_is_known(journal):
    journal.append(MADE)
    assert json.loads(journal.path.read_text())["parts"] == [{"width": 3}, {"width": 5}]


def test_a_new_folder_is_made_with_those_that_are_written_to(folder):
    prepare(folder, is_own=False)
    assert [path.name for path in folder.path.iterdir() if path.is_dir()] == ["in"]


def test_the_folder_of_somebody_else_is_left_as_it_is(folder):
    fill(folder)
    before = list_files(folder)
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"holds 5 files that raim test has not written, such as done"):
            prepare(folder, is_own=False, overwrite=overwrite)
    assert list_files(folder) == before


def test_a_run_that_goes_on_keeps_all_but_what_a_killed_writer_left(folder):
    fill(folder)
    before = list_files(folder)
    prepare(folder, goes_on=True)
    assert list_files(folder) - {".lock"} == before - {"in/.1.png.7-8.part"}


def test_another_run_is_refused_or_begins_again(folder):
    fill(folder)
    with pytest.raises(InputError, match=r"out is of another run; .* raim test has written .* --overwrite"):
        prepare(folder)
    prepare(folder, overwrite=True)
    assert list_files(folder) - {".lock"} == {"in/notes.txt", "mine.png"}


def test_what_a_run_that_was_killed_at_once_leaves_counts_as_nothing(folder):
    folder.path.mkdir()
    for name in (".lock", ".log.csv.12-34.part"):
        (folder.path / name).touch()
    prepare(folder, is_own=False)
    assert list_files(folder) <= {".lock"}


def test_two_runs_never_work_in_one_folder(folder):
    with folder.held(is_own=True):
        with pytest.raises(InputError, match=r"another raim test works in .*out; wait until it has ended"):
            prepare(folder)
        folder.prepare(goes_on=False, state="", overwrite=False)
    prepare(folder, goes_on=True)


def test_a_file_in_its_place_is_refused(folder):
    folder.path.write_text("a file")
    with pytest.raises(InputError, match=r"out is a file; name a folder"):
        prepare(folder)
