import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select

from raim.files import hash_file
from raim.records.submissions import NewSubmission
from raim.server.actions.accounts import register
from raim.server.actions.challenge_reread import read_again
from raim.server.actions.phases import set_dates
from raim.server.actions.teams import make_team
from raim.server.current_challenge import load_current
from raim.server.database import AuditEvent, Phase
from raim.server.submissions.tries import take_try


@pytest.fixture
def organiser(imported):
    with imported.database.writing() as session:
        return register(session, imported.now, login="olga", password_hash="x", is_administrator=True).id


def edit(imported, old, new):
    path = imported.folder / "challenge.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def reread(imported, organiser, version=lambda profile: f"{profile}-1"):
    with imported.database.reading() as session:
        before = load_current(session, imported.challenge.definition)
    return read_again(
        imported.database,
        imported.storage,
        imported.now,
        imported.folder,
        before,
        scorer_version=version,
        actor_id=organiser,
    )


def submit(imported, phase="feedback"):
    challenge = imported.challenge
    with imported.database.writing() as session:
        user = register(session, imported.now, login="ada", password_hash="x")
        member = make_team(
            session, imported.now, challenge_id=challenge.id, name="Ada", user=user, is_approved=True
        )
        moment = challenge.definition.phase(phase).opens
        wanted = NewSubmission(phase=phase, n_bytes=9, sha256="a" * 64)
        take_try(session, moment, challenge, member, wanted)


def last_event(imported):
    with imported.database.reading() as session:
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
        return event.action, event.actor_id, event.details


def test_an_unchanged_file_changes_nothing_but_is_written_down(imported, organiser):
    found = reread(imported, organiser)
    assert (found.problems, found.changes, found.to_rescore) == ((), (), ())
    assert last_event(imported) == ("read challenge again", organiser, {"changes": []})


def test_every_problem_is_reported_with_its_line_and_nothing_is_changed(imported, organiser):
    before = last_event(imported)
    edit(imported, 'profile = "raim-2024"', 'profile = "raim-2042"')
    edit(imported, "count = 10", "count = 0")
    found = reread(imported, organiser)
    assert len(found.problems) == 2
    assert all("challenge.toml:" in each for each in found.problems)
    assert last_event(imported) == before


def test_another_profile_calls_for_scoring_again(imported, organiser):
    edit(imported, 'profile = "raim-2024"', 'profile = "raim-2024-printed"')
    found = reread(imported, organiser)
    assert found.problems == ()
    assert found.changes == (
        "the profile is raim-2024-printed, it was raim-2024",
        "the scorer version is raim-2024-printed-1, it was raim-2024-1",
    )
    assert found.to_rescore == ("feedback",)


def test_corrected_images_call_for_scoring_again(imported, organiser):
    folder = imported.folder / "data" / "feedback-pairs" / "reference"
    first, second = sorted(folder.iterdir())[:2]
    manifest = folder.parent / "manifest.csv"
    text = manifest.read_text(encoding="utf-8").replace(hash_file(first), hash_file(second))
    manifest.write_text(text, encoding="utf-8")
    shutil.copy(second, first)
    found = reread(imported, organiser)
    assert found.problems == ()
    assert found.changes == ("the images of the data set feedback-pairs have changed",)
    assert found.to_rescore == ("feedback",)


def test_an_image_that_is_not_the_manifests_is_a_problem(imported, organiser):
    folder = imported.folder / "data" / "feedback-pairs" / "input"
    first, second = sorted(folder.iterdir())[:2]
    shutil.copy(second, first)
    found = reread(imported, organiser)
    assert any(first.stem in each for each in found.problems)


def test_changed_dates_of_the_file_win(imported, organiser):
    phase = imported.challenge.definition.phase("final")
    new = phase.closes + timedelta(days=1)
    edit(imported, f"closes = {phase.closes:%Y-%m-%d}T", f"closes = {new:%Y-%m-%d}T")
    found = reread(imported, organiser)
    assert len(found.changes) == 1
    assert f"to {new:%Y-%m-%d %H:%M} UTC" in found.changes[0]


def test_another_challenge_is_refused(imported, organiser):
    edit(imported, 'id = "my-challenge"', 'id = "other"')
    found = reread(imported, organiser)
    assert found.problems[0].startswith(
        "the file is of the challenge 'other', its folder was that of 'my-challenge'"
    )


def test_a_phase_that_teams_have_submitted_to_cannot_leave_the_file(imported, organiser):
    submit(imported)
    for old in ('id = "feedback"', 'phase = "feedback"'):
        edit(imported, old, old.replace("feedback", "online"))
    found = reread(imported, organiser)
    assert found.problems == (
        "teams have submitted to the phase 'feedback', which is no longer in the file; put it back",
    )


def test_dates_that_overlap_those_set_on_the_page_are_refused(imported, organiser):
    definition = imported.challenge.definition
    feedback, final = definition.phase("feedback"), definition.phase("final")
    with imported.database.writing() as session:
        row = session.scalars(select(Phase).where(Phase.slug == "feedback")).one()
        set_dates(
            session,
            imported.now,
            row,
            opens_at=feedback.opens,
            closes_at=final.opens,
            actor_id=organiser,
        )
    earlier = final.opens - timedelta(days=1)
    edit(imported, f"opens = {final.opens:%Y-%m-%d}T12", f"opens = {earlier:%Y-%m-%d}T13")
    found = reread(imported, organiser)
    assert len(found.problems) == 1
    assert "as it was set on the page" in found.problems[0]


def test_images_that_would_be_added_to_a_used_set_are_a_problem_of_its_own(imported, organiser):
    submit(imported)
    data = imported.folder / "data" / "feedback-pairs"
    manifest = data / "manifest.csv"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    gone = lines[-1].split(",")[0]
    left = [line for line in lines if not line.startswith(f"{gone},")]
    manifest.write_text("\n".join(left) + "\n", encoding="utf-8")
    for path in (*(data / "input").iterdir(), *(data / "reference").iterdir()):
        if path.stem == gone:
            path.unlink()
    found = reread(imported, organiser)
    assert found.problems[0].startswith("teams have submitted to the data set 'feedback-pairs'")
