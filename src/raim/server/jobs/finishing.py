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
from raim.server.jobs.faults import describe_fault, describe_traceback, fail_submission, with_patience
from raim.server.jobs.flags import flag_pixels
from raim.server.jobs.group import Entry, Group
from raim.server.jobs.scoring import Records
from raim.server.submissions import change_state
from raim.server.submissions.states import lock_submission

NAMED = 3  # images without a score that the entry's reason names


def finish_group(context: WorkerContext, group: Group, records: Records) -> list[int]:
    """Write the results of every submission that has a record for each image; give which were finished.

    Args:
        context: Whose leases they are under; those that it has lost are left alone.
        group: What was scored together.
        records: By image and submission, in JSON form.

    Raises:
        WorkerStopped: The worker is to end.
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


def _finish(context: WorkerContext, group: Group, entry: Entry, own: Mapping[str, dict[str, Any]]) -> bool:
    try:
        return with_patience(context, lambda: _write(context, group, entry, own))
    except Exception as error:  # noqa: BLE001 - whatever it is, the team is told and has its try back
        reason, log = describe_fault(error), describe_traceback(error)
        with_patience(
            context,
            lambda: fail_submission(context, entry.id, entry.attempt, what="scored", reason=reason, log=log),
        )
        return False


def _write(context: WorkerContext, group: Group, entry: Entry, own: Mapping[str, dict[str, Any]]) -> bool:
    now = context.clock()
    with context.database.writing() as session:
        # The job may have come here from another worker, so the lease is taken over, not only looked at.
        if not take_lease(session, now, context, entry.id, entry.attempt):
            return False
        row = lock_submission(session, entry.id)
        if not _has_results(session, row, group):
            _add_results(session, now, row, group, own)
        row.images_done = row.images_total
        row.flags = {**row.flags, **flag_pixels(own)}
        if row.facts.is_in_scoring:
            change_state(session, now, row.id, "scored")
        else:
            _end_again(session, now, row, group)
    return True


def _has_results(session: Session, row: Submission, group: Group) -> bool:
    there = select(EntryResult.id).where(
        EntryResult.submission_id == row.id,
        EntryResult.scorer_version == group.scorer_version,
        EntryResult.reference_version == group.reference_version,
    )
    return session.scalar(there) is not None


def _add_results(
    session: Session, now: datetime, row: Submission, group: Group, own: Mapping[str, dict[str, Any]]
) -> None:
    profile = find_profile(group.profile)
    versions = {"scorer_version": group.scorer_version, "reference_version": group.reference_version}
    images = session.execute(select(Image.name, Image.id).where(Image.data_set_id == row.data_set_id))
    ids = {each.name: each.id for each in images}
    for name, plain in own.items():
        session.add(
            Result(
                submission_id=row.id,
                image_id=ids[name],
                restored_sha256=plain["sha256"],
                score=None if plain["unscored"] is not None else float(plain["score"]),
                unscorable=plain["unscored"],
                measures=_measures(plain, profile),
                scored_at=now,
                **versions,
            )
        )
    session.add(_make_entry_result(row, now, own, profile, versions))


def _make_entry_result(
    row: Submission,
    now: datetime,
    own: Mapping[str, dict[str, Any]],
    profile: Profile,
    versions: Mapping[str, str],
) -> EntryResult:
    images = [_read_record(plain, profile) for plain in own.values()]
    entry = EntryScore(name=str(row.id), images=tuple(images))
    plain = entry.as_dict()
    return EntryResult(
        submission_id=row.id,
        score=None if entry.why_incomplete else entry.mean["score"],
        unscorable=_say_unscored(entry),
        measures=_measures(plain["mean"], profile),
        scenarios=plain["scenarios"],
        n_images=len(images),
        n_scored=len(entry.scored),
        scored_at=now,
        **versions,
    )


def _read_record(plain: Mapping[str, Any], profile: Profile) -> ImageScore:
    """Read an image's record from its JSON form, where an infinite value is a word."""
    return ImageScore(
        name=plain["name"],
        scenario=plain["scenario"],
        values={
            column: None if plain[column] is None else float(plain[column]) for column in profile.columns
        },
        unscored=plain["unscored"],
        is_expected=plain.get("is_expected", True),  # records of a job that an older version began lack it
    )


def _measures(plain: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    return {choice.key: plain[choice.key] for choice in profile.measures}


def _say_unscored(entry: EntryScore) -> str | None:
    unscored = [image for image in entry.images if image.is_expected and image.unscored is not None]
    if not unscored:
        return entry.why_incomplete
    named = "; ".join(f"{image.name}: {image.unscored}" for image in unscored[:NAMED])
    return f"{len(unscored)} of {entry.n_expected} images have no score: {named}" + (
        "; ..." if len(unscored) > NAMED else ""
    )


def _end_again(session: Session, now: datetime, row: Submission, group: Group) -> None:
    row.rescore_asked_at = row.lease_owner = row.lease_until = None
    versions = [group.scorer_version, group.reference_version]
    record_event(session, now, "score again", row, actor_id=None, versions=versions)
