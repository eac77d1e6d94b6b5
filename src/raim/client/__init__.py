"""A challenge server from Python: read, hand in, wait, download.

server = Server(url="https://challenge.example.org", token=os.environ["RAIM_TOKEN"])
submission = submit(server, Path("team.zip"))
print(wait_for_result(server, submission.id).score)
"""

from raim.client.challenges import upload_challenge, wait_for_challenge
from raim.client.downloading import download_inputs
from raim.client.reading import (
    read_challenge,
    read_leaderboard,
    read_me,
    read_results,
    read_submission,
    read_submissions,
)
from raim.client.server import Patience, Server
from raim.client.submitting import choose, submit, wait_for_result, withdraw
from raim.records.challenge import Challenge, DataSet, Intake, Me, Phase
from raim.records.leaderboard import Leaderboard, Line
from raim.records.submissions import ImageResult, ResultList, Submission

__all__ = [
    "Challenge",
    "DataSet",
    "ImageResult",
    "Intake",
    "Leaderboard",
    "Line",
    "Me",
    "Patience",
    "Phase",
    "ResultList",
    "Server",
    "Submission",
    "choose",
    "download_inputs",
    "read_challenge",
    "read_leaderboard",
    "read_me",
    "read_results",
    "read_submission",
    "read_submissions",
    "submit",
    "upload_challenge",
    "wait_for_challenge",
    "wait_for_result",
    "withdraw",
]
