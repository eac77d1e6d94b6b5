"""Questions that change nothing on the server."""

from urllib.parse import quote

from raim.client.asking import ask, ask_all, connect
from raim.client.server import Server
from raim.records.challenge import Challenge, Me
from raim.records.leaderboard import Leaderboard
from raim.records.submissions import ResultList, Submission


def read_challenge(server: Server) -> Challenge:
    """Return the challenge with its phases and data sets.

    Raises:
        RaimError: As `raim.client.asking.refusal_error`; the same for all functions here.
    """
    with connect(server) as connection:
        return ask(connection, Challenge, "GET", "/challenge")


def read_me(server: Server) -> Me:
    """Return who the token belongs to, their team and the tries that it has left."""
    with connect(server) as connection:
        return ask(connection, Me, "GET", "/me")


def read_leaderboard(server: Server, phase: str) -> Leaderboard:
    """Return the leaderboard of a phase, by the phase's id."""
    with connect(server) as connection:
        return ask(connection, Leaderboard, "GET", f"/leaderboard/{quote(phase, safe='')}")


def read_submissions(server: Server) -> list[Submission]:
    """Return the team's submissions, newest first."""
    with connect(server) as connection:
        return ask_all(connection)


def read_submission(server: Server, submission_id: int) -> Submission:
    """Return a submission as it is now."""
    with connect(server) as connection:
        return ask(connection, Submission, "GET", f"/submissions/{submission_id}")


def read_results(server: Server, submission_id: int) -> ResultList:
    """Return the measures of each image of a submission, worst first."""
    with connect(server) as connection:
        return ask(connection, ResultList, "GET", f"/submissions/{submission_id}/results")
