"""Judges to be invited, as an organiser types them: one a line, with or without an e-mail address."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import InputError, RaimError
from raim.server.actions.accounts import check_name
from raim.server.database import Judge, Study
from raim.server.study.judges import invite_judge
from raim.server.study.ties import STATED, check_teams

MOST = 500  # at once
ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """Somebody to be invited.

    Attributes:
        name: As organisers see it.
        email: "" without.
    """

    name: str
    email: str = ""


def invite_guests(
    session: Session, now: datetime, study: Study, text: str, *, ties: Collection[int], actor_id: int
) -> list[tuple[Judge, str]]:
    """Invite judges, all or none; return each with the token of the link.

    Args:
        session: A writing session.
        now: The time.
        study: In draft or open.
        text: As `parse_guests` reads it.
        ties: Teams that all of them have a tie to.
        actor_id: Who invites.

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
    """Read lines "name, e-mail", "name; e-mail", "name <e-mail>", or a name alone.

    Args:
        text: As typed; empty lines are nothing.
        invited: E-mail addresses that have an invitation.

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


def check_email(email: str) -> str:
    """Give an e-mail address that has the form of one.

    Raises:
        InputError: It has not.
    """
    if not ADDRESS.fullmatch(email) or len(email) > 320 or not email.isprintable():
        raise InputError(f"{email[:60]!r} is not an e-mail address; write name@example.org, or leave it out")
    return email
