import pytest

from raim.errors import InputError
from raim.server.actions import passwords
from raim.server.actions.passwords import hash_password, is_outdated, is_password


@pytest.fixture(autouse=True)
def real_cost(monkeypatch, real_hasher):
    """Hash as a server does, where other tests hash with the least work."""
    monkeypatch.setattr(passwords, "_HASHER", real_hasher)


def test_a_hash_is_argon2id_with_the_recommended_cost_and_its_own_salt():
    first, second = hash_password("correct horse"), hash_password("correct horse")
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second
    assert is_password("correct horse", second)
    assert not is_password("Correct horse", second)
    assert not is_outdated(first)


def test_two_ways_to_type_a_letter_are_the_same_password():
    assert is_password("caf\u00e9 au lait", hash_password("cafe\u0301 au lait"))


def test_without_a_hash_no_password_is_right_after_the_same_work():
    assert not is_outdated(passwords._nobodys_hash())
    assert not is_password("nobody has this password", None)
    assert not is_password("anything", "no hash")


@pytest.mark.parametrize("length", [0, 9, 1001])
def test_the_length_is_limited(length):
    with pytest.raises(InputError, match=f"has {length} characters; it must have 10 to 1000"):
        hash_password("x" * length)
