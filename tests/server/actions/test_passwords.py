import queue
import threading

import pytest

from patience import PATIENCE_S
from raim.errors import InputError, NotReadyError
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


class Held:
    """A hasher that holds everybody until it is let go."""

    def __init__(self):
        self.inside, self.most, self.looked_at = 0, 0, threading.Lock()
        self.entered, self.may_go = threading.Semaphore(0), threading.Event()

    def hash(self, _content):
        with self.looked_at:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.entered.release()
        self.may_go.wait(PATIENCE_S)
        with self.looked_at:
            self.inside -= 1
        return "hashed"


def test_two_hash_at_once_some_wait_and_the_others_are_asked_to_come_again(monkeypatch):
    held = Held()
    monkeypatch.setattr(passwords, "_HASHER", held)
    outcomes = queue.Queue()

    def come():
        try:
            outcomes.put(hash_password("correct horse"))
        except NotReadyError as error:
            outcomes.put(error)

    count = passwords.AT_ONCE + passwords.MOST_WAITING + 3
    threads = [threading.Thread(target=come) for _ in range(count)]
    for thread in threads:
        thread.start()
    turned_away = [outcomes.get(timeout=PATIENCE_S) for _ in range(3)]
    assert all(isinstance(each, NotReadyError) and each.retry_s > 0 for each in turned_away)
    for _ in range(passwords.AT_ONCE):
        assert held.entered.acquire(timeout=PATIENCE_S)
    held.may_go.set()
    for thread in threads:
        thread.join()
    assert [outcomes.get() for _ in range(count - 3)] == ["hashed"] * (count - 3)
    assert held.most == passwords.AT_ONCE
