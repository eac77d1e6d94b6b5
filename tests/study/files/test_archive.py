import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from raim.errors import VotesError
from raim.study import mean_points, points_array
from raim.study.files import anonymise, make_archive, read_archive


def named(document):
    """Give the study with judges that have names, and times."""
    names = {judge: f"Dr. {judge} Meier" for judge in document.ballots.judges}
    when = datetime(2026, 3, 1, tzinfo=UTC)
    votes = tuple(replace(vote, judge=names[vote.judge], cast_at=when) for vote in document.ballots.votes)
    return replace(document, ballots=replace(document.ballots, judges=tuple(names.values()), votes=votes))


def test_the_same_study_gives_the_same_bytes(document):
    assert make_archive(named(document)) == make_archive(named(document))
    assert (
        hashlib.sha256(make_archive(document)).digest()
        == hashlib.sha256(make_archive(named(document))).digest()
    )


def test_no_name_of_a_judge_and_no_time_is_in_it(document):
    packed = make_archive(named(document))
    assert b"Meier" not in packed
    assert b"2026" not in packed
    assert all(info.date_time[0] == 1980 for info in zipfile.ZipFile(io.BytesIO(packed)).infolist())
    assert {vote.seconds for vote in read_archive(packed).ballots.votes} == {0.0}


def test_times_are_in_it_if_asked_for(document):
    packed = make_archive(named(document), with_times=True)
    assert read_archive(packed).ballots.votes[0].cast_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_reading_gives_the_votes_and_the_design_back(document):
    read = read_archive(make_archive(named(document), with_times=True))
    assert read.design == document.design
    assert read.is_simulated
    assert [(vote.judge, vote.choice) for vote in read.ballots.votes] == [
        (vote.judge, vote.choice) for vote in document.ballots.votes
    ]


def test_coded_entries_have_the_same_points_and_no_names(document):
    packed = make_archive(named(document), code_entries=True)
    assert not any(name.encode() in packed for name in ("SUM(A1)", "Team B", "c,d", "é"))
    read = read_archive(packed)
    assert read.ballots.entries == ("E1", "E2", "E3", "E4")
    assert read.design is None
    points = mean_points(points_array(document.ballots))
    assert mean_points(points_array(read.ballots)) == pytest.approx(np.sort(points)[::-1])


def test_codes_do_not_depend_on_names(document):
    renamed = {name: f"{9 - place} {name}" for place, name in enumerate(document.ballots.entries)}
    other = rename(document, renamed)
    first = anonymise(document, code_entries=True).ballots
    assert first == anonymise(other, code_entries=True).ballots


def rename(document, names):
    """Give the study with other names, its entries in the order of those."""
    known = {**names, "blurred copy": "blurred copy"}
    ballots = document.ballots
    votes = tuple(
        replace(
            vote,
            shown=tuple(known[name] for name in vote.shown),
            choice=tuple(known[name] for name in vote.choice),
        )
        for vote in ballots.votes
    )
    entries = tuple(sorted(names.values()))
    return replace(document, ballots=replace(ballots, entries=entries, votes=votes))


def test_the_readme_says_every_column_and_that_votes_are_simulated(document):
    archive = zipfile.ZipFile(io.BytesIO(make_archive(document)))
    readme = archive.read("README.md").decode()
    header = archive.read("votes.csv").decode().splitlines()[0]
    assert all(f"`{column}`" in readme for column in header.split(","))
    assert "made by a program" in readme


def test_other_zips_are_refused(document):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(VotesError, match=r"holds no study\.json"):
        read_archive(held.getvalue())
    with pytest.raises(VotesError, match="damaged zip"):
        read_archive(make_archive(document)[:-60])
