import socket
import stat

import pytest

from raim.errors import ChallengeError, InputError, SettingsError
from raim.server.actions.challenge_folders import load_challenge
from raim.server.serving import open_server, take_port
from raim.server.settings import read_settings
from raim.server.web.server import read_secret
from server_site import Clock


def test_a_folder_is_all_that_a_server_needs(tmp_path):
    import numpy as np

    from raim.challenge import write_example
    from server_site import FIRST_DAY

    write_example(tmp_path, first_day=FIRST_DAY, rng=np.random.default_rng(1))
    settings = read_settings({}, folder=tmp_path)
    seen = []
    first = open_server(settings, clock=Clock(), on_progress=lambda *counts: seen.append(counts))
    assert first.first_link.startswith("http://127.0.0.1:8000/first/raim_link_")
    assert (seen[0], seen[-1]) == ((0, 8), (8, 8))
    first.server.database.engine.dispose()
    again = open_server(settings, clock=Clock())
    assert again.server.secret == first.server.secret
    again.server.database.engine.dispose()


def test_a_faulty_challenge_stops_the_start_with_every_problem(tmp_path):
    (tmp_path / "challenge.toml").write_text("schema = 1\n")
    with pytest.raises(ChallengeError, match="problems"):
        load_challenge(tmp_path)
    with pytest.raises(ChallengeError, match="raim challenge new"):
        load_challenge(tmp_path / "nothing")


def test_the_secret_is_its_owners_alone(tmp_path):
    path = tmp_path / "secret.key"
    secret = read_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_secret(path) == secret
    path.write_text("short")
    with pytest.raises(SettingsError, match="delete it"):
        read_secret(path)
    with pytest.raises(SettingsError, match="cannot be made"):
        read_secret(tmp_path / "nowhere" / "secret.key")


def test_a_taken_port_is_named_with_the_way_out_or_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}.*--port"):
            take_port("127.0.0.1", port, default=8000)
        with take_port("127.0.0.1", None, default=port) as listener:
            assert listener.getsockname()[1] != port
