"""Teams: made, joined by invitation, left, merged, approved, marked."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import AccessError, InputError, StateError, UnknownNameError
from raim.records.teams import TeamChange, Terms
from raim.server.actions.accounts import check_name, hand_on, name_key
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Finalist, Invitation, Member, Submission, Team, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn
from raim.server.mail import sends_mail, write_mail
from raim.server.tokens import hash_token, make_token

INVITATION_LIFE = timedelta(days=14)
MAILED_A_DAY = 20  # invitations of a team: nobody sends our mail to the world


def find_terms(challenge: CurrentChallenge, user: User | None) -> Terms:
    """Return what a challenge asks of somebody who makes or joins a team there and has not said so when registering."""
    rules = challenge.definition.registration
    has_agreed = user is not None and user.registered_in == challenge.id and user.consented_at is not None
    return Terms(
        consent="" if has_agreed else rules.consent,
        needs_email=rules.email_required and user is not None and not user.email,
    )


def agree(challenge: CurrentChallenge, user: User, now: datetime, *, consents: bool) -> datetime | None:
    """Return when somebody agreed to what a challenge asks: now, or when they registered; None where it asks nothing.

    Raises:
        InputError: They do not, or the challenge asks for an e-mail address, and they have none.
    """
    name, terms = challenge.definition.name, find_terms(challenge, user)
    if terms.needs_email:
        raise InputError(f"{name} asks for an e-mail address; write yours on your account's page first")
    if terms.consent and not consents:
        raise InputError(f"{name} needs your consent; tick the box, or take no part")
    if not challenge.definition.registration.consent:
        return None
    return now if terms.consent else user.consented_at


def make_team(
    session: Session,
    now: datetime,
    *,
    challenge_id: int,
    name: str,
    user: User,
    is_approved: bool = False,
    consented_at: datetime | None = None,
) -> Member:
    """Make a team with its first member, its captain; `consented_at` is of `agree`.

    Raises:
        InputError: The name is not usable.
        StateError: The name is taken, or the user is in a team of the challenge.
    """
    name = check_name(name, "team's name")
    _refuse_second_team(session, challenge_id, user)
    same = select(Team.id).where(Team.challenge_id == challenge_id, Team.name_key == name_key(name))
    if session.scalar(same) is not None:
        raise StateError(
            f"there is a team {name!r} already; choose another name, or ask its captain for an invitation"
        )
    state = "approved" if is_approved else "waiting"
    team = Team(challenge_id=challenge_id, name=name, name_key=name_key(name), state=state, created_at=now)
    session.add(team)
    record_event(session, now, "make team", team, actor_id=user.id)
    return _add_member(session, now, team, user, role="captain", consented_at=consented_at)


def set_team_state(session: Session, now: datetime, team: Team, state: str, *, actor_id: int | None) -> None:
    """Approve, suspend or mark as merged; the database refuses other words."""
    before, team.state = team.state, state
    record_event(session, now, "set team state", team, actor_id=actor_id, before=before, after=state)


def approve_waiting(session: Session, now: datetime, challenge_id: int) -> None:
    """Approve all teams that wait, once the challenge asks for no approval any more."""
    waiting = select(Team).where(Team.challenge_id == challenge_id, Team.state == "waiting")
    for team in session.scalars(waiting):
        set_team_state(session, now, team, "approved", actor_id=None)


def invite(session: Session, now: datetime, captain: Member, *, email: str = "") -> str:
    """Make the token with which one person joins the captain's team within 14 days, and mail it to an address.

    Raises:
        AccessError: Who invites is not a captain.
        InputError: No mail can be sent there.
        StateError: The team has mailed as many as it may within a day.
    """
    if captain.role != "captain":
        raise AccessError("only a team's captain invites members; ask yours")
    if email and not sends_mail(session, email):
        raise InputError(
            f"no mail can be sent to {email[:60]!r}; leave it empty, and hand the link over yourself"
        )
    day = Invitation.created_at > now - timedelta(days=1)
    mailed = select(func.count()).where(
        Invitation.team_id == captain.team_id, Invitation.address.is_not(None), day
    )
    if email and (session.scalar(mailed) or 0) >= MAILED_A_DAY:
        raise StateError(
            f"your team has mailed {MAILED_A_DAY} invitations within a day; hand further links over yourself"
        )
    token = make_token("invitation")
    invitation = Invitation(
        team_id=captain.team_id,
        invited_by=captain.user_id,
        address=email or None,
        token_sha256=hash_token(token),
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    session.add(invitation)
    record_event(session, now, "invite", invitation, actor_id=captain.user_id)
    facts = {"team": session.get_one(Team, captain.team_id).name, "token": token}
    write_mail(
        session,
        now,
        "member",
        f"invitation {invitation.id}",
        email,
        challenge_id=captain.challenge_id,
        **facts,
    )
    return token


def accept_invitation(
    session: Session,
    now: datetime,
    token: str,
    user: User,
    *,
    challenge_id: int,
    team_size: int | None = None,
    consented_at: datetime | None = None,
) -> Member:
    """Join the team of an invitation, which is then used up; `consented_at` is of `agree`.

    Raises:
        StateError: It was used, is over, revoked, unknown or of another challenge; the user is in a team of the
            challenge; or the team has `team_size` members.
    """
    invitation = session.scalar(
        select(Invitation)
        .join(Team, Team.id == Invitation.team_id)
        .where(Invitation.token_sha256 == hash_token(token), Team.challenge_id == challenge_id)
        .with_for_update(of=Invitation)
    )
    if (
        invitation is None
        or invitation.accepted_at is not None
        or invitation.revoked_at is not None
        or invitation.expires_at <= now
    ):
        raise StateError(
            "this invitation was used before, is over or was revoked; ask the team's captain for another"
        )
    team = session.get_one(Team, invitation.team_id)
    _refuse_second_team(session, team.challenge_id, user)
    _refuse_full(session, team, team_size)
    invitation.accepted_at, invitation.accepted_by = now, user.id
    return _add_member(session, now, team, user, role="member", consented_at=consented_at)


def revoke_invitation(session: Session, now: datetime, invitation: Invitation, *, actor_id: int) -> None:
    """End an invitation that was not used yet."""
    invitation.revoked_at = now
    record_event(session, now, "revoke invitation", invitation, actor_id=actor_id)


def leave_team(session: Session, now: datetime, member: Member, *, actor_id: int) -> None:
    """Take a member out of a team; the next member becomes its captain where the captain goes.

    A member who has handed something in cannot be taken out of the records: their account can be deleted instead.

    Raises:
        StateError: They have handed something in, or are the last member of a team that has.
    """
    take_turn(session, ACCOUNTS_LOCK)
    handed_in = session.scalar(
        select(func.count()).select_from(Submission).where(Submission.member_id == member.id)
    )
    if handed_in:
        raise StateError(
            f"{handed_in} submissions were handed in by this member and stay with the team; they cannot leave it"
        )
    team = session.get_one(Team, member.team_id)
    if member.role == "captain":
        hand_on(session, member)
    session.delete(member)
    session.flush()
    if not _count_members(session, team.id):
        team.state = "suspended"  # nobody is left in it; its name stays taken
    record_event(session, now, "leave team", team, actor_id=actor_id)


def remove_member(session: Session, now: datetime, captain: Member, member_id: int) -> None:
    """Take another member out of the captain's team.

    Raises:
        AccessError: Who asks is not the captain, or the member is of another team.
        StateError: As `leave_team`.
    """
    member = session.get(Member, member_id)
    if captain.role != "captain" or member is None or member.team_id != captain.team_id:
        raise AccessError("only a team's captain takes members out of it")
    leave_team(session, now, member, actor_id=captain.user_id)


def merge_teams(
    session: Session, now: datetime, team: Team, into: Team, *, actor_id: int, team_size: int | None = None
) -> None:
    """Bring a team's members into another.

    Its entries stay listed under its name, out of competition; the members of the other team see them. A place
    among the finalists goes over, unless the other team has or had one.

    Raises:
        StateError: They are one team, of different challenges, one was merged before, the other one takes no part or
            has nobody who leads it, or both together have more than `team_size` members.
    """
    take_turn(session, ACCOUNTS_LOCK)
    if team.id == into.id or team.challenge_id != into.challenge_id:
        raise StateError("a team is merged into another one of the same challenge")
    if "merged" in {team.state, into.state}:
        raise StateError("a team that was merged before cannot be merged again")
    n_there, n_coming = _count_members(session, into.id), _count_members(session, team.id)
    if into.state == "suspended" or not n_there:
        raise StateError(f"{into.name} is suspended or has no members; approve it, or choose another team")
    if team_size is not None and n_there + n_coming > team_size:
        raise StateError(
            f"{into.name} would have {n_there + n_coming} members, and this challenge allows {team_size}; members "
            "leave first, or challenge.toml allows more"
        )
    session.execute(update(Member).where(Member.team_id == team.id).values(team_id=into.id, role="member"))
    session.execute(update(Team).where(Team.merged_into == team.id).values(merged_into=into.id))
    session.execute(
        update(Invitation)
        .where(
            Invitation.team_id == team.id, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
        )
        .values(revoked_at=now)
    )
    theirs = select(Finalist.phase_id).where(Finalist.team_id == into.id)
    places = update(Finalist).where(Finalist.team_id == team.id, Finalist.phase_id.not_in(theirs))
    session.execute(places.values(team_id=into.id))
    before, team.state, team.merged_into = team.state, "merged", into.id
    record_event(session, now, "merge teams", team, actor_id=actor_id, before=before, team_id=into.id)


def change_team(session: Session, now: datetime, team: Team, wanted: TeamChange, *, actor_id: int) -> None:
    """Approve or suspend a team, say how it takes part, or appoint its captain.

    Raises:
        StateError: The team was merged into another one.
        UnknownNameError: It has no such member.
    """
    if team.state == "merged":
        raise StateError(f"{team.name} was merged into another team; decide about that one")
    if wanted.state not in {None, team.state}:
        set_team_state(session, now, team, str(wanted.state), actor_id=actor_id)
    before = {"baseline": team.is_baseline, "out of competition": team.is_out_of_competition}
    if wanted.is_baseline is not None:
        team.is_baseline = wanted.is_baseline
    if wanted.is_out_of_competition is not None:
        team.is_out_of_competition = wanted.is_out_of_competition
    after = {"baseline": team.is_baseline, "out of competition": team.is_out_of_competition}
    if before != after:
        record_event(session, now, "mark team", team, actor_id=actor_id, before=before, after=after)
    if wanted.captain is not None:
        _appoint(session, now, team, wanted.captain, actor_id=actor_id)


def _appoint(session: Session, now: datetime, team: Team, member_id: int, *, actor_id: int) -> None:
    members = session.scalars(select(Member).where(Member.team_id == team.id)).all()
    if member_id not in {each.id for each in members}:
        raise UnknownNameError(f"{team.name} has no member {member_id}")
    for each in members:
        each.role = "captain" if each.id == member_id else "member"
    record_event(session, now, "appoint captain", team, actor_id=actor_id, member_id=member_id)


def _refuse_second_team(session: Session, challenge_id: int, user: User) -> None:
    take_turn(session, ACCOUNTS_LOCK)
    found = session.scalar(
        select(Team.name)
        .join(Member, Member.team_id == Team.id)
        .where(Member.challenge_id == challenge_id, Member.user_id == user.id)
    )
    if found is not None:
        raise StateError(
            f"{user.login} is in the team {found!r} already; one person is in one team of a challenge"
        )


def _refuse_full(session: Session, team: Team, team_size: int | None) -> None:
    there = _count_members(session, team.id)
    if team_size is not None and there >= team_size:
        raise StateError(f"the team {team.name!r} has {there} members, as many as this challenge allows")


def _count_members(session: Session, team_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Member).where(Member.team_id == team_id)) or 0


def _add_member(
    session: Session, now: datetime, team: Team, user: User, *, role: str, consented_at: datetime | None
) -> Member:
    member = Member(
        challenge_id=team.challenge_id,
        team_id=team.id,
        user_id=user.id,
        role=role,
        joined_at=now,
        consented_at=consented_at,
    )
    session.add(member)
    record_event(session, now, "join team", team, actor_id=user.id, role=role)
    return member
