"""Handing in a file and following what becomes of it."""

import functools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from raim.client.asking import Connection, ask, ask_all, connect
from raim.client.server import Server
from raim.client.uploading import OpenFile, open_source, send_file
from raim.errors import StateError
from raim.records import named
from raim.records.administration import ChallengeUpload
from raim.records.challenge import Challenge
from raim.records.submissions import StartedSubmission, Submission

SubmitProgress = Callable[[str, int, int], None]
"""Called with "hashing" or "sending", bytes done, bytes in all."""

Followed = TypeVar("Followed", Submission, ChallengeUpload)
SLOWEST = 10  # times `poll_s`, while nothing changes
FASTER = 1.2  # by which the pause grows


def submit(
    server: Server,
    path: Path,
    *,
    phase: str | None = None,
    kind: str = "scored",
    note: str = "",
    again: bool = False,
    on_progress: SubmitProgress = lambda _stage, _done, _total: None,
) -> Submission:
    """Hand in a file; called again after it was interrupted, it goes on where it stopped.

    A file that the team has handed in already, and that was not refused or withdrawn, is not sent a second time: its
    submission is given. So a try is never spent by repeating a command.

    Args:
        server: Where.
        path: A zip in the form of docs/submissions.md.
        phase: Id of the phase; the open one without.
        kind: "scored", "feedback" or "final".
        note: The team's own words about it.
        again: Whether a file that was handed in already is sent once more, which takes another try.
        on_progress: Called while the file is hashed and sent; not called with "sending" if it was there already.

    Returns:
        The submission once its file is there whole, usually in the state "checking".

    Raises:
        InputError: The file cannot be read, is empty, or changes meanwhile.
        StateError: The team may not submit now; the text has the reason and the time of the next try.
        AccessError: The token is not taken.
        ContentMismatchError: The file arrives damaged again and again.
        ServerUnreachableError: The server does not answer; the same call goes on.
        RaimError: As `raim.client.asking.refusal_error`.
    """
    hashing = functools.partial(on_progress, "hashing")
    with open_source(Path(path), hashing) as source, connect(server) as connection:
        there = None if again else _find(connection, source, phase, kind)
        if there is not None:
            return there
        promise = {
            "phase": phase,
            "kind": kind,
            "file_name": source.path.name,
            "n_bytes": source.n_bytes,
            "sha256": source.sha256,
            "note": note,
        }
        started = ask(connection, StartedSubmission, "POST", "/submissions", promise)
        on_progress("sending", started.upload.offset, source.n_bytes)
        send_file(connection, started.upload.url, source, functools.partial(on_progress, "sending"))
        return ask(connection, Submission, "GET", f"/submissions/{started.submission.id}")


def wait_for_result(
    server: Server,
    submission_id: int,
    *,
    on_change: Callable[[Submission], None] = lambda _submission: None,
    poll_s: float = 2.0,
    timeout_s: float | None = None,
) -> Submission:
    """Wait until a submission is scored, accepted, refused, failed, withdrawn or abandoned.

    Args:
        server: Where it is.
        submission_id: Which.
        on_change: Called with each new state, place in the queue or count of images, the first one too.
        poll_s: Seconds between two questions; while nothing changes they grow to ten times that.
        timeout_s: How long to wait; without, as long as it takes.

    Returns:
        The submission in its last state; whether that is a good one is `is_good`.

    Raises:
        StateError: It has not ended in time.
        RaimError: As `raim.client.asking.refusal_error`.
    """
    with connect(server) as connection:
        return wait_for_end(
            server,
            lambda: ask(connection, Submission, "GET", f"/submissions/{submission_id}"),
            f"submission {submission_id}",
            _what_counts,
            on_change=on_change,
            poll_s=poll_s,
            timeout_s=timeout_s,
        )


def wait_for_end(
    server: Server,
    read: Callable[[], Followed],
    what: str,
    what_counts: Callable[[Followed], object],
    *,
    on_change: Callable[[Followed], None],
    poll_s: float,
    timeout_s: float | None,
) -> Followed:
    """Read something again and again until it has ended; see `wait_for_result`."""
    patience = server.patience
    end = None if timeout_s is None else patience.clock() + timedelta(seconds=timeout_s)
    reported: Followed | None = None
    pause_s = poll_s
    while True:
        now = read()
        if reported is None or what_counts(now) != what_counts(reported):
            on_change(now)
            reported, pause_s = now, poll_s
        if now.has_ended:
            return now
        if end is not None and patience.clock() >= end:
            raise StateError(
                f"{what} is {now.state} after {timeout_s:g} s; it goes on without you: look at "
                f"{server.url}{now.page}, or wait again"
            )
        patience.sleep(pause_s)
        pause_s = min(pause_s * FASTER, poll_s * SLOWEST)


def withdraw(server: Server, submission_id: int) -> Submission:
    """Take a submission back; before scoring has begun, its try too."""
    with connect(server) as connection:
        try:
            return ask(connection, Submission, "POST", f"/submissions/{submission_id}/withdraw")
        except StateError:
            # A repeated request whose first answer was lost has done what was asked.
            now = ask(connection, Submission, "GET", f"/submissions/{submission_id}")
            if now.state not in named("is_withdrawn"):
                raise
            return now


def choose(server: Server, submission_id: int) -> Submission:
    """Let this entry count in place of the one chosen before."""
    with connect(server) as connection:
        return ask(connection, Submission, "POST", f"/submissions/{submission_id}/choose")


def _find(connection: Connection, source: OpenFile, phase: str | None, kind: str) -> Submission | None:
    """Find the submission of the same file that is already there whole."""
    wanted = source.sha256, kind
    own = [each for each in ask_all(connection) if (each.sha256, each.kind) == wanted]
    same = [each for each in own if each.state in named("is_taken")]
    phases = {phase}
    if same and phase is None:
        challenge = ask(connection, Challenge, "GET", "/challenge")
        phases = {each.id for each in challenge.phases if each.state in {"open", "paused"}}
    return next((each for each in same if each.phase in phases), None)


def _what_counts(submission: Submission) -> tuple[object, ...]:
    return submission.state, submission.position, submission.images_done, submission.images_total
