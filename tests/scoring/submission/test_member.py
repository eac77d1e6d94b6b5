import hashlib
import pickle

import pytest

from raim.errors import SubmissionError
from raim.scoring.submission.listing import list_submission


def test_a_member_is_read_and_hashed_after_a_pickle(forge):
    content = forge.image()
    for path in (forge.write_zip({"é.v2.png": content}), forge.write_folder("team", {"é.v2.png": content})):
        (member,) = pickle.loads(pickle.dumps(list_submission(path).members))  # noqa: S301  our own bytes
        assert (member.name, member.stem, member.n_bytes) == ("é.v2.png", "é.v2", len(content))
        assert member.read_bytes() == content
        assert member.sha256() == hashlib.sha256(content).hexdigest()


def code_of(member) -> str:
    with pytest.raises(SubmissionError) as caught:
        member.read_bytes()
    return caught.value.problems[0].code


def test_a_refused_member_is_not_read(forge):
    (member,) = list_submission(forge.write_zip({"../a.png": b"x"})).members
    assert code_of(member) == "path-traversal"


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_refused(forge):
    path = forge.write_folder("team", {"a.png": b"123"})
    (member,) = list_submission(path).members
    (path / "a.png").write_bytes(b"1234")
    assert code_of(member) == "size-mismatch"
    (path / "a.png").write_bytes(b"12")
    assert code_of(member) == "size-mismatch"


def test_a_file_that_disappears_is_refused(forge):
    path = forge.write_folder("team", {"a.png": b"123"})
    (member,) = list_submission(path).members
    (path / "a.png").unlink()
    assert code_of(member) == "unreadable-file"


def test_damage_after_the_listing_is_found(forge):
    content = forge.image()
    path = forge.write_zip({"a.png": content}, method=0)
    (member,) = list_submission(path).members
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    assert code_of(member) == "checksum-mismatch"
