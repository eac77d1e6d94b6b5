import pytest

from raim.cli.progress import show_share


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def test_a_bar_is_drawn_on_a_terminal_with_lines_above_it(terminal, capsys):
    with show_share("restoring") as bar:
        bar.move(0.42, "2 of 5")
        bar.say("[bold]a.png[/]: done :smile:")
    err = capsys.readouterr().err
    assert "[bold]a.png[/]: done :smile:\n" in err  # names are no markup
    assert "42%" in err
    assert "2 of 5" in err
    assert "time left" in err


def test_elsewhere_only_the_lines_are_written_and_never_broken(capsys):
    with show_share("restoring") as bar:
        bar.move(0.42, "2 of 5")
        bar.say("a" * 300)
    assert capsys.readouterr() == ("", "a" * 300 + "\n")


def test_quiet_writes_nothing(terminal, capsys):
    with show_share("restoring", is_quiet=True) as bar:
        bar.move(0.42, "2 of 5")
        bar.say("a line")
    assert capsys.readouterr() == ("", "")
