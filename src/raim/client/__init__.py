"""A challenge server from Python: read, hand in, wait, download.

server = Server(url="https://challenge.example.org", token=os.environ["RAIM_TOKEN"])
submission = submit(server, Path("team.zip"))
print(wait_for_result(server, submission.id).score)
"""

from raim.client.downloading import download_inputs
from raim.client.reading import (
    read_challenge,
    read_leaderboard,
    read_me,
    read_results,
    read_submission,
    read_submissions,
)
from raim.client.records import (
    BoardRow,
    Challenge,
    DataSet,
    ImageResult,
    Intake,
    Leaderboard,
    Me,
    Phase,
    Results,
    Submission,
)
from raim.client.server import Patience, Server
from raim.client.submitting import choose, submit, wait_for_result, withdraw

__all__ = [
    "BoardRow",
    "Challenge",
    "DataSet",
    "ImageResult",
    "Intake",
    "Leaderboard",
    "Me",
    "Patience",
    "Phase",
    "Results",
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
    "wait_for_result",
    "withdraw",
]
