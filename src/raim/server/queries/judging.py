"""What a judge sees of their study: how far they are, and their trials, by labels."""

from sqlalchemy.orm import Session

from raim.errors import StateError, UnknownNameError
from raim.records import judging as records
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Judge, Study, StudyImage, Trial
from raim.server.study.judges import find_judge
from raim.server.study.progress import own_pace
from raim.server.study.screens import newest_screen
from raim.server.study.trials import count_trials, entry_of, find_tile_trial, find_trial
from raim.server.study.voting import as_ballot, newest_vote, open_positions, takes_votes
from raim.study import BLURRED, StudyDesign
from raim.study.trial import label_of

# The input's tile and the code of a blurred copy in packs.
INPUT, BLURRED_TILE = "input", "blurred"


def read_invitation(session: Session, challenge: CurrentChallenge, token: str) -> records.JudgeInvitation:
    """Return what a judge's link is for.

    Raises:
        UnknownNameError: It is none that works.
    """
    judge = find_judge(session, token)
    study = None if judge is None else session.get_one(Study, judge.study_id)
    if judge is None or study is None or study.challenge_id != challenge.id:
        raise UnknownNameError(
            "this link does not work: it is unknown, was revoked, or was not copied whole; ask the organiser "
            "for a new one"
        )
    return records.JudgeInvitation.of_row(
        study,
        token=token,
        takes_votes=study.state == "open" or (judge.is_preview and study.state == "draft"),
        is_begun=judge.begun_at is not None,
    )


def read_judging(session: Session, judge: Judge) -> records.Judging:
    """Return how far a judge is, and what the study asks of them."""
    study = session.get_one(Study, judge.study_id)
    design, screen = StudyDesign.from_plain(study.design), newest_screen(session, judge)
    return records.Judging.of_row(
        study,
        mode=design.mode,
        criteria=list(design.criteria),
        takes_votes=takes_votes(study, judge),
        is_finished=judge.finished_at is not None,
        is_instructed=judge.instructed_at is not None,
        screen_is_fine=None if screen is None else screen.is_fine,
        screen_fault="" if screen is None else screen.why,
        n_training=count_trials(session, judge, "training"),
        n_training_open=len(open_positions(session, judge, "training")),
        n_trials=count_trials(session, judge, "voting"),
        unvoted=open_positions(session, judge),
    )


def read_trial(
    session: Session, judge: Judge, part: records.Part, position: int, *, tiles: str
) -> records.JudgeTrial:
    """Return a trial of a judge; addresses of its tiles begin with the path `tiles`.

    Raises:
        StateError: The study is not open, or the tiles are not made yet.
        UnknownNameError: There is no such trial.
    """
    study = _check_open(session, judge)
    trial = find_trial(session, judge, part, position)
    image = session.get_one(StudyImage, trial.study_image_id)
    if image.pack is None or image.pack_sha256 is None:
        raise StateError("the tiles of this image are not made yet; try again in a minute")
    vote, design = newest_vote(session, trial), StudyDesign.from_plain(study.design)
    total, unvoted = count_trials(session, judge, part), open_positions(session, judge, part)
    labels = [label_of(place) for place in range(len(trial.tiles))]
    return records.JudgeTrial(
        part=part,
        position=position,
        total=total,
        done=total - len(unvoted),
        open=unvoted,
        n_picks=design.n_picks,
        image={key: image.pack[key] for key in ("width", "height", "tile", "levels")},
        input={"tiles": f"{tiles}/{trial.key}/{INPUT}", **image.pack["input"]},
        candidates=[
            records.Candidate(label=each, tiles=f"{tiles}/{trial.key}/{each.lower()}") for each in labels
        ],
        vote=None if vote is None else as_ballot(trial, vote),
        criteria=list(design.criteria),
        is_locked=not takes_votes(study, judge),
        seconds_per_trial=own_pace(session, judge),
    )


def find_tiles(session: Session, judge: Judge, key: str, tile: str) -> tuple[str, str]:
    """Return the pack of a trial's tiles, by its SHA-256, and under which name a candidate stands in it.

    Raises:
        StateError: The study is not open.
        UnknownNameError: It is no tile of the judge's own trials.
    """
    _check_open(session, judge)
    trial, image = find_tile_trial(session, judge, key)
    if image.pack_sha256 is None:
        raise UnknownNameError("there is no such tile")
    return image.pack_sha256, INPUT if tile == INPUT else _source(trial, tile)


def _check_open(session: Session, judge: Judge) -> Study:
    """Let nobody look at trials but while votes are taken, or at their own once they have finished."""
    study = session.get_one(Study, judge.study_id)
    if study.state != "open" and not judge.is_preview:
        raise StateError(f"the study is {study.state}; trials are shown while it is open")
    return study


def _source(trial: Trial, label: str) -> str:
    code = entry_of(trial, label)
    return BLURRED_TILE if code == BLURRED else code
