"""What administrators see of a server: its challenges, what waits and what has failed in each."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from raim.records.desk import Queue
from raim.records.kept import BUNDLES, Kept
from raim.records.record import Record, Text, Wanted
from raim.records.submissions import UploadPlace


class HostedChallenge(Record):
    """A challenge of the server."""

    id: str
    name: str
    status: str
    folder: str = Field(description="where its file lies, seen from the server's folder")
    is_there: bool = Field(description="its file is in the folder")
    n_teams: int
    n_submissions: int
    n_waiting: int = Field(description="submissions that wait for their check or to be scored")
    n_workers: int = Field(description="live workers that serve it")
    n_failed: int = Field(description="submissions that failed by the server's fault")
    kept: Kept


class ServerNumbers(Record):
    """The server's numbers, for those who monitor it."""

    challenges: list[HostedChallenge]
    problems: dict[str, list[str]] = Field(description="why a file of the folder could not be taken")
    queue: Queue
    folder_free_bytes: int
    storage_free_bytes: int | None


class ServerOverview(ServerNumbers):
    """The same with what takes longer to find out, for administrators."""

    bundle_bytes: dict[str, int] = Field(description=f"{BUNDLES}, by challenge")
    kept: Kept = Field(description="of all challenges; what two of them have counts once")
    freeable: "Freeable"


class Delays(Record):
    """What waits, and since when."""

    mails: dict[str, int] = Field(description="in each state that has any")
    mail_s: float = Field(description="for how long a mail is due that was not sent, at most; 0 for none")
    submission_s: float = Field(
        description="since when a submission is here that is not done, at most; 0 for none"
    )


class ChallengeChange(Wanted):
    """What is to be otherwise of a challenge; what is left out stays."""

    status: Literal["draft", "open", "paused", "retired"] | None = None
    quota_gib: Annotated[float, Field(ge=0, le=2**23)] | None = Field(
        default=None, description="what all that is kept of it may take, in GiB; 0 for no limit"
    )


class Freeable(Record):
    """Files that were freed, or can be: those of submissions that were refused long ago."""

    n_files: int
    n_bytes: int
    after_days: int = Field(description="so long after a refusal at least")


class NewlyFound(Record):
    """Challenges that a look at the folder has found."""

    ids: list[str]


class AdministratorChange(Wanted):
    """What is to be otherwise of an account; what is left out stays."""

    is_administrator: bool | None = None
    may_make_challenges: bool | None = None
    is_disabled: bool | None = None


UploadState = Literal["arriving", "inspecting", "placing", "taken", "rejected", "given up"]


class NewChallengeUpload(Wanted):
    """What the upload of a challenge begins with: a zip of its folder is promised."""

    file_name: Text = "challenge.zip"
    n_bytes: int = Field(gt=0, lt=2**45)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ChallengeUpload(Record):
    """The upload of a challenge, from its first byte to the draft that it becomes."""

    id: int
    page: str = Field(description="path of its page")
    state: UploadState
    file_name: str
    sent_by: str
    n_bytes: int
    received_bytes: int
    n_done: int = Field(description="files that are checked")
    n_files: int
    begun_at: datetime
    updated_at: datetime
    problems: list[str] = Field(description="why it was refused, each with its file")
    notes: list[str]
    challenge_id: str = Field(description='id of the draft that it became; "" before')
    upload: UploadPlace | None = Field(
        description="where the rest of the file goes; none once it is there whole"
    )

    @property
    def has_ended(self) -> bool:
        """Whether it stays in its state."""
        return self.state in {"taken", "rejected", "given up"}


class ChallengeUploads(Record):
    """Uploads of challenges, newest first, and whether another can be made."""

    uploads: list[ChallengeUpload]
    why_not: str = Field(description='why none can be uploaded here; "" where one can')
    max_bytes: int
