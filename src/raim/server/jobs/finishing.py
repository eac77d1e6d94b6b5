"""Results: all rows of a submission, its new state and the audit event in one transaction, once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.scoring.profiles import Profile, find_profile
from raim.scoring.records import EntryScore, ImageScore
from raim.server.auditing import record_event
from raim.server.database import EntryResult, Image, Result, Submission
from raim.server.jobs.context import WorkerContext, take_lease
from raim.server.jobs.faults import describe_fault, fail_submission, with_patience
from raim.server.jobs.flags import flag_pixels
from raim.server.jobs.scoring import LeasedEntry, Records, ScoringGroup
from raim.server.submissions.states import change_state

NAMED = 3  # images without a score that the entry's reason names


def finish_group(context: WorkerContext, group: ScoringGroup, records: Records) -> list[int]:
    """Write the results of every submission that has a record for each image; give which were finished.

    Those whose leases the worker has lost are left alone.
    """
    finished = []
    for entry in group.entries:
        own = {name: by_id[entry.id] for name, by_id in records.items() if entry.id in by_id}
        if len(own) < group.n_images:
            continue
        with context.busy("score", f"writing the results of submission {entry.id}", [entry.id]):
            if _finish(context, group, entry, own):
                finished.append(entry.id)
    return finished


def _finish(
    context: WorkerContext, group: ScoringGroup, entry: LeasedEntry, own: Mapping[str, dict[str, Any]]
) -> bool:
    try:
        return with_patience(context, lambda: _write(context, group, entry, own))
    except Exception as error:  # noqa: BLE001 - whatever it is, the team gets the reason and its try back
        reason_and_log = describe_fault(error)
        with_patience(
            context, lambda: fail_submission(context, entry.id, entry.attempt, "scored", reason_and_log)
        )
        return False


def _write(
    context: WorkerContext, group: ScoringGroup, entry: LeasedEntry, own: Mapping[str, dict[str, Any]]
) -> bool:
    now = context.clock()
    with context.database.writing() as session:
        # The job may have come here from another worker, so the lease is taken over, not only looked at.
        row = take_lease(session, context, entry.id, entry.attempt)
        if row is None:
            return False
        there = select(EntryResult.id).filter_by(submission_id=row.id, **group.versions)
        if session.scalar(there) is None:
            _add_results(session, now, row, group, own)
        row.images_done = row.images_total
        row.flags = {**row.flags, **flag_pixels(own)}
        if row.facts.is_in_scoring:
            change_state(session, now, row.id, "scored")
        else:
            row.rescore_asked_at = row.lease_owner = row.lease_until = None
            versions = list(group.versions.values())
            record_event(session, now, "score again", row, actor_id=None, versions=versions)
    return True


def _add_results(
    session: Session, now: datetime, row: Submission, group: ScoringGroup, own: Mapping[str, dict[str, Any]]
) -> None:
    profile = find_profile(group.profile)
    common = {"submission_id": row.id, "scored_at": now, **group.versions}
    images = session.execute(select(Image.name, Image.id).where(Image.data_set_id == row.data_set_id))
    ids = {each.name: each.id for each in images}
    for name, plain in own.items():
        result = Result(
            image_id=ids[name],
            restored_sha256=plain["sha256"],
            score=None if plain["unscored"] is not None else float(plain["score"]),
            unscorable=plain["unscored"],
            measures=_measures(plain, profile),
            **common,
        )
        session.add(result)
    entry = EntryScore(name=str(row.id), images=tuple(_read_record(plain, profile) for plain in own.values()))
    means = entry.as_dict()
    whole = EntryResult(
        score=None if entry.why_incomplete else entry.mean["score"],
        unscorable=_say_unscored(entry),
        measures=_measures(means["mean"], profile),
        scenarios=means["scenarios"],
        n_images=len(entry.images),
        n_scored=len(entry.scored),
        **common,
    )
    session.add(whole)


def _read_record(plain: Mapping[str, Any], profile: Profile) -> ImageScore:
    """Read an image's record from its JSON form, where an infinite value is a word."""
    return ImageScore(
        name=plain["name"],
        scenario=plain["scenario"],
        values={key: None if plain[key] is None else float(plain[key]) for key in profile.columns},
        unscored=plain["unscored"],
        is_expected=plain["is_expected"],
    )


def _measures(plain: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    return {choice.key: plain[choice.key] for choice in profile.measures}


def _say_unscored(entry: EntryScore) -> str | None:
    unscored = [image for image in entry.images if image.is_expected and image.unscored is not None]
    if not unscored:
        return entry.why_incomplete
    named = [f"{image.name}: {image.unscored}" for image in unscored[:NAMED]]
    more = ["..."] if len(unscored) > NAMED else []
    return f"{len(unscored)} of {entry.n_expected} images have no score: {'; '.join(named + more)}"
