from datetime import timedelta

import pytest
from sqlalchemy import select

from raim.data import parse_manifest
from raim.errors import StateError
from raim.records.submissions import NewSubmission
from raim.server.actions.accounts import register
from raim.server.actions.teams import make_team
from raim.server.database import AuditEvent, Challenge, DataSet, Image, Phase, Submission, Team
from raim.server.storage import has_file
from raim.server.submissions.tries import take_try


def edit(imported, before, after):
    path = imported.folder / "challenge.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_every_file_is_in_the_storage_and_every_image_in_its_table(imported):
    with imported.database.reading() as session:
        images = session.scalars(select(Image)).all()
    assert len(images) == 8
    for image in images:
        assert has_file(imported.storage, image.input_sha256)
        assert image.reference_sha256 is None or has_file(imported.storage, image.reference_sha256)


def test_reading_the_same_again_changes_nothing(imported):
    again = imported.bring()
    assert again == imported.challenge
    with imported.database.reading() as session:
        assert (
            len(session.scalars(select(AuditEvent).where(AuditEvent.action == "read challenge")).all()) == 1
        )


def test_a_manifest_of_a_spreadsheet_is_kept_as_text(imported):
    path = imported.folder / "data" / "feedback-pairs" / "manifest.csv"
    path.write_bytes("name;scenario\r\n0001;Müll\r\n0002;blur\r\n".encode("cp1252"))
    imported.bring()
    with imported.database.reading() as session:
        own = session.get_one(DataSet, imported.challenge.data_set_ids["feedback-pairs"])
        scenarios = session.scalars(select(Image.scenario).where(Image.data_set_id == own.id)).all()
    assert parse_manifest(own.manifest).scenarios() == ("Müll", "blur")
    assert sorted(scenarios) == ["Müll", "blur"]


def test_dates_that_an_organiser_changed_stay_until_the_file_states_others(imported):
    with imported.database.writing() as session:
        row = session.get_one(Phase, imported.challenge.phase_ids["feedback"])
        moved = row.closes_at = row.closes_at + timedelta(days=1)
    assert imported.bring().definition.phase("feedback").closes == moved
    edit(imported, "closes = 2026-04-30T12:00:00Z", "closes = 2026-04-29T12:00:00Z")
    assert imported.bring().definition.phase("feedback").closes.day == 29


def test_a_corrected_reference_makes_another_version(imported):
    before = imported.challenge.newest
    folder = imported.folder / "data" / "feedback-pairs"
    reference = folder / "reference" / "0001.png"
    reference.write_bytes((folder / "reference" / "0002.png").read_bytes())
    (folder / "manifest.csv").unlink()
    edit(imported, 'folder = "data/feedback-pairs"', 'folder = "data/feedback-pairs"\nmanifest = ""')
    after = imported.bring().newest
    assert before["feedback-pairs"] != after["feedback-pairs"]
    assert before["tuning-pairs"] == after["tuning-pairs"]


def test_images_of_a_set_that_was_submitted_to_stay(imported):
    challenge = imported.challenge
    with imported.database.writing() as session:
        user = register(session, imported.now, login="ada", password_hash="x")
        member = make_team(
            session, imported.now, challenge_id=challenge.id, name="A", user=user, is_approved=True
        )
        submission = Submission(
            team_id=member.team_id,
            phase_id=challenge.phase_ids["feedback"],
            data_set_id=challenge.data_set_ids["feedback-pairs"],
            member_id=member.id,
            kind="scored",
            received_at=imported.now,
            state_at=imported.now,
            committed_bytes=1,
            committed_sha256="0" * 64,
            takes_try=True,
        )
        session.add(submission)
    folder = imported.folder / "data" / "feedback-pairs"
    edit(imported, 'folder = "data/feedback-pairs"', 'folder = "data/feedback-pairs"\nmanifest = ""')
    for part in ("input", "reference"):
        (folder / part / "0002.png").unlink()
    with pytest.raises(StateError, match="cannot be added or taken away: 0002"):
        imported.bring()


def test_images_of_a_set_that_nobody_used_come_and_go(imported):
    folder = imported.folder / "data" / "feedback-pairs"
    edit(imported, 'folder = "data/feedback-pairs"', 'folder = "data/feedback-pairs"\nmanifest = ""')
    for part in ("input", "reference"):
        (folder / part / "0002.png").rename(folder / part / "0003.png")
    imported.bring()
    with imported.database.reading() as session:
        own = imported.challenge.data_set_ids["feedback-pairs"]
        names = session.scalars(select(Image.name).where(Image.data_set_id == own).order_by(Image.name)).all()
    assert names == ["0001", "0003"]


def test_another_challenge_in_the_folder_is_refused_at_the_start(imported):
    edit(imported, 'id = "my-challenge"', 'id = "other"')
    with pytest.raises(StateError, match=r"its folder was that of 'my-challenge': put its id back, or give"):
        imported.bring()
    with imported.database.reading() as session:
        assert session.scalars(select(Challenge.slug)).all() == ["my-challenge"]


def test_a_phase_with_submissions_that_left_the_file_is_refused_at_the_start(imported):
    with imported.database.writing() as session:
        phase = session.scalars(select(Phase).where(Phase.slug == "feedback")).one()
        user = register(session, imported.now, login="ada", password_hash="x")
        member = make_team(
            session, imported.now, challenge_id=phase.challenge_id, name="Ada", user=user, is_approved=True
        )
        wanted = NewSubmission(phase="feedback", n_bytes=9, sha256="a" * 64)
        take_try(session, phase.opens_at, imported.challenge, member, wanted)
    for old in ('id = "feedback"', 'phase = "feedback"'):
        edit(imported, old, old.replace("feedback", "online"))
    with pytest.raises(StateError, match="submitted to the phase 'feedback', which is no longer in the file"):
        imported.bring()
    with imported.database.reading() as session:
        assert session.scalars(select(Phase).where(Phase.slug == "online")).all() == []


def test_teams_that_wait_are_approved_once_the_challenge_asks_for_no_approval(imported):
    with imported.database.writing() as session:
        now = imported.challenge.definition.phases[0].opens
        ada = register(session, now, login="ada", password_hash="x")
        make_team(session, now, challenge_id=imported.challenge.id, name="Ada", user=ada)
    imported.bring()
    with imported.database.reading() as session:
        assert session.scalars(select(Team.state)).one() == "approved"
