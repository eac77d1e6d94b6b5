from raim.cli.scoring_weights import fetch_missing_weights
from raim.weights import weights_folders


def test_what_is_ready_is_not_fetched(monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError

    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(weights_folders().cache))
    monkeypatch.setattr("raim.weights.fetch_weights", refuse)
    assert fetch_missing_weights(["niqe"])


def test_without_a_network_it_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("RAIM_WEIGHTS_DIR", raising=False)
    monkeypatch.setenv("RAIM_OFFLINE", "1")
    assert not fetch_missing_weights(["niqe"])
    said = capsys.readouterr().err
    assert "nothing can be scored yet" in said
    assert "raim weights fetch" in said
