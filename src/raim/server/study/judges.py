"""Judges: invited by a link of their own, one by one or by lines of names, reminded, revoked, excluded."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import InputError, RaimError, StateError
from raim.records.studies import LeavingOut
from raim.server.actions.accounts import check_email, check_name
from raim.server.auditing import record_event
from raim.server.database import Judge, JudgeLink, Mail, Study, Team, Tie
from raim.server.mail import write_letter, write_mail
from raim.server.study.closing import LONGEST_REASON, check_reason, check_revealed
from raim.server.study.ties import STATED, check_teams, find_ties
from raim.server.tokens import hash_token, make_token

MOST = 500  # invited at once


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """Somebody to be invited.

    Attributes:
        name: As organisers see it.
        email: "" without.
    """

    name: str
    email: str = ""


def invite_judge(
    session: Session,
    now: datetime,
    study: Study,
    *,
    name: str,
    email: str | None = None,
    ties: Mapping[int, str] | None = None,
    is_preview: bool = False,
    actor_id: int | None,
) -> tuple[Judge, str]:
    """Add a judge; give them with the token of their link, which is not kept.

    `ties` says for teams why the judge has one (a member, the same laboratory). A preview is an organiser who looks at
    the pages; their votes are no votes.

    Raises:
        InputError: The name is not usable.
        StateError: The study takes no judges any more, or a tie rules the judge out.
    """
    if study.state not in {"draft", "open"}:
        raise StateError(f"the study is {study.state}; judges are invited while it is a draft or open")
    ties = {**find_ties(session, study, email), **(ties or {})}
    if ties and study.design["conflicts"] != "hide-tile":
        raise StateError(
            f"{name} has a tie to {_names(session, ties)}, and the study's rule is that such a judge does not vote; "
            'invite somebody else, or build the study with conflicts = "hide-tile"'
        )
    newest = session.scalar(select(func.max(Judge.number)).where(Judge.study_id == study.id)) or 0
    judge = Judge(
        study_id=study.id,
        number=newest + 1,
        name=check_name(name, "judge's name"),
        email=email or None,
        is_preview=is_preview,
        invited_at=now,
    )
    session.add(judge)
    session.flush()
    for team_id, reason in ties.items():
        session.add(Tie(judge_id=judge.id, team_id=team_id, reason=reason[:LONGEST_REASON]))
    details: dict[str, Any] = {"team_ids": sorted(ties), "preview": is_preview}
    record_event(session, now, "invite judge", judge, actor_id=actor_id, **details)
    return judge, _make_link(session, now, judge, "judge")


def invite_guests(
    session: Session, now: datetime, study: Study, text: str, *, ties: Collection[int], actor_id: int
) -> list[tuple[Judge, str]]:
    """Invite judges by lines as `parse_guests` reads them, all or none; give each with the token of the link.

    Raises:
        InputError: A line, or a team with a tie, cannot be used, or an address has an invitation.
        StateError: The study takes no judges, or such a tie rules one out.
    """
    check_teams(session, study, ties)
    found = select(Judge.email).where(
        Judge.study_id == study.id, Judge.email.is_not(None), Judge.revoked_at.is_(None)
    )
    invited = [email for email in session.scalars(found) if email]
    return [
        invite_judge(
            session,
            now,
            study,
            name=guest.name,
            email=guest.email or None,
            ties=dict.fromkeys(ties, STATED),
            actor_id=actor_id,
        )
        for guest in parse_guests(text, invited=invited)
    ]


def parse_guests(text: str, *, invited: Collection[str] = ()) -> list[Guest]:
    """Read lines "name, e-mail", "name; e-mail", "name <e-mail>", or a name alone; empty ones are nothing.

    No line may have an address that has an invitation (`invited`).

    Raises:
        InputError: Lines cannot be used; all of them are named.

    Example:
        >>> parse_guests("Ada Lovelace, ada@example.org")
        [Guest(name='Ada Lovelace', email='ada@example.org')]
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise InputError("nobody is named; write one judge a line: name, e-mail")
    if len(lines) > MOST:
        raise InputError(f"{len(lines)} judges at once; at most {MOST} are invited at once")
    guests, problems, seen = [], [], {each.lower() for each in invited}
    for number, line in lines:
        try:
            guest = parse_guest(line)
        except RaimError as error:
            problems.append(f"line {number}: {error}")
            continue
        if guest.email.lower() in seen:
            problems.append(f"line {number}: {guest.email} has an invitation already")
        elif guest.email:
            seen.add(guest.email.lower())
        guests.append(guest)
    if problems:
        raise InputError("nobody was invited: " + "; ".join(problems))
    return guests


def parse_guest(line: str) -> Guest:
    """Read one line.

    Raises:
        InputError: It has no name, or what should be an e-mail address is none.

    Example:
        >>> parse_guest("Alan Turing <alan@example.org>").email, parse_guest("Grace Hopper").email
        ('alan@example.org', '')
    """
    found = re.fullmatch(r"(.*?)(?:[,;\t]\s*|\s*(?=<))(.*)", line)
    name, email = (line, "") if found is None else (found[1], found[2].strip().strip("<>").strip())
    return Guest(name=check_name(name, "judge's name"), email=check_email(email) if email else "")


def replaced_judges(judges: Sequence[Judge]) -> set[int]:
    """Return the rows of revoked judges who were invited again, and whose votes thus do not count."""
    return {
        old.id
        for old in judges
        if old.revoked_at is not None
        and any(
            _is_same_person(old, other) and (other.revoked_at is None or other.number > old.number)
            for other in judges
        )
    }


def remind_judge(session: Session, now: datetime, judge: Judge, *, actor_id: int | None) -> str:
    """Make a further link, to be sent with a reminder; the earlier ones go on working.

    Raises:
        StateError: The judge has finished or is revoked.
    """
    if judge.finished_at is not None:
        raise StateError(f"{judge.name} has finished; there is nothing to remind them of")
    if judge.revoked_at is not None:
        raise StateError(f"{judge.name}'s invitation is revoked; invite them again")
    judge.reminded_at = now
    record_event(session, now, "remind judge", judge, actor_id=actor_id)
    return _make_link(session, now, judge, "reminder")


def revoke_judge(session: Session, now: datetime, judge: Judge, *, actor_id: int | None) -> None:
    """Let none of a judge's links open anything; their votes stay."""
    session.refresh(judge, with_for_update=True)  # a vote that is being kept comes first
    judge.revoked_at = judge.revoked_at or now
    session.execute(
        update(JudgeLink)
        .where(JudgeLink.judge_id == judge.id, JudgeLink.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record_event(session, now, "revoke judge", judge, actor_id=actor_id)


def exclude_judge(
    session: Session, now: datetime, judge: Judge, wanted: LeavingOut, *, actor_id: int
) -> None:
    """Leave a judge's votes out of the main result, or count them again; both results are shown, with the reason.

    Raises:
        InputError: There is no reason.
        StateError: The study is not revealed.
    """
    check_revealed(session.get_one(Study, judge.study_id), "a judge's votes are left out")
    if wanted.is_back:
        judge.excluded_at = judge.excluded_reason = None
        record_event(session, now, "include judge", judge, actor_id=actor_id)
        return
    judge.excluded_reason = check_reason(wanted.reason, "the judge's votes are left out")
    judge.excluded_at = now
    record_event(session, now, "exclude judge", judge, actor_id=actor_id, reason=judge.excluded_reason)


def find_judge(session: Session, token: str) -> Judge | None:
    """Return the judge of a link; None if the link is unknown or revoked."""
    return session.scalar(
        select(Judge)
        .join(JudgeLink, JudgeLink.judge_id == Judge.id)
        .where(
            JudgeLink.token_sha256 == hash_token(token),
            JudgeLink.revoked_at.is_(None),
            Judge.revoked_at.is_(None),
        )
    )


def _is_same_person(one: Judge, other: Judge) -> bool:
    if one.email and other.email:
        return one.email.casefold() == other.email.casefold()
    return one.name.casefold() == other.name.casefold()


def write_to_judge(session: Session, public_url: str, judge: Judge, token: str, kind: str) -> tuple[str, str]:
    """Return subject and text of the mail that brings a judge's link, for the organiser's own program."""
    study = session.get_one(Study, judge.study_id)
    return write_letter(session, kind, public_url, study.challenge_id, _facts(judge, study, token))


def is_mailed(session: Session, judge: Judge, token: str) -> bool:
    """Return whether the server mails a judge this link."""
    return session.scalar(select(Mail.id).where(Mail.what == _what(judge, token))) is not None


def _make_link(session: Session, now: datetime, judge: Judge, kind: str) -> str:
    token, study = make_token("judge"), session.get_one(Study, judge.study_id)
    session.add(JudgeLink(judge_id=judge.id, token_sha256=hash_token(token), created_at=now))
    facts = _facts(judge, study, token)
    write_mail(session, now, kind, _what(judge, token), judge.email, challenge_id=study.challenge_id, **facts)
    return token


def _what(judge: Judge, token: str) -> str:
    return f"judge {judge.id} {hash_token(token)[:16]}"


def _facts(judge: Judge, study: Study, token: str) -> dict[str, str]:
    return {"judge": judge.name, "title": study.title, "token": token}


def _names(session: Session, ties: Mapping[int, str]) -> str:
    found = session.execute(select(Team.id, Team.name).where(Team.id.in_(list(ties))).order_by(Team.name))
    return ", ".join(f"{name} ({ties[team_id]})" if ties[team_id] else name for team_id, name in found)
