"""Which results are in force: of each data set, those of one scorer version and one version of its references.

A new scorer version, or corrected references, are scored beside the pair in force. The leaderboard stays on that pair
until the organisers switch; where nothing is scored under it, or challenge.toml says `new_versions = "at-once"`, the
new pair is in force at once. Results are never changed, so nothing is lost either way.
"""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.records.desk import NewVersion
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge, results_of
from raim.server.database import Challenge, DataSet, EntryResult, Submission, Team


def list_new_versions(session: Session, challenge: CurrentChallenge) -> tuple[NewVersion, ...]:
    """Return the versions that are not in force yet, with how many entries are scored under them."""
    new = [slug for slug, pair in challenge.in_force.items() if pair != challenge.newest[slug]]
    if not new:
        return ()
    rows = session.execute(
        select(Submission.data_set_id, func.count(Submission.id), func.count(EntryResult.id))
        .join(Team, Team.id == Submission.team_id)
        .outerjoin(EntryResult, results_of(challenge, challenge.newest))
        .where(
            Submission.data_set_id.in_([challenge.data_set_ids[slug] for slug in new]),
            Submission.where("has_score"),
            Team.state.in_(("approved", "merged")),
        )
        .group_by(Submission.data_set_id)
    )
    counts = {row_id: (n_entries, n_scored) for row_id, n_entries, n_scored in rows}
    found = []
    for slug in new:
        n_entries, n_scored = counts.get(challenge.data_set_ids[slug], (0, 0))
        scorer, reference = challenge.newest[slug]
        found.append(
            NewVersion(
                data_set=slug,
                scorer_version=scorer,
                reference_version=reference,
                n_scored=n_scored,
                n_entries=n_entries,
            )
        )
    return tuple(found)


def switch_versions(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    *,
    even_incomplete: bool = False,
    actor_id: int,
) -> tuple[NewVersion, ...]:
    """Put the newest versions of all data sets in force; give those that were not.

    With `even_incomplete` also where entries have no result under them yet, and lose their place until they have.

    Raises:
        StateError: There is no new version, or one is not complete.
    """
    new = list_new_versions(session, challenge)
    if not new:
        raise StateError("the newest versions are in force already")
    left = [each for each in new if not each.is_complete]
    if left and not even_incomplete:
        raise StateError(
            "; ".join(
                f"{each.n_scored} of {each.n_entries} entries on {each.data_set} are scored under the new version"
                for each in left
            )
            + ": score the others again first, or switch though they lose their place until they are scored"
        )
    for each in new:
        session.execute(
            update(DataSet)
            .where(DataSet.id == challenge.data_set_ids[each.data_set])
            .values(
                scorer_version_in_force=each.scorer_version, reference_version_in_force=each.reference_version
            )
        )
    switched = {each.data_set: [each.scorer_version, each.n_scored, each.n_entries] for each in new}
    row = session.get_one(Challenge, challenge.id)
    record_event(session, now, "switch versions", row, actor_id=actor_id, switched=switched)
    return new
